// What a directory and all below it take on the disk, and the largest file in it: a small du.
#include <astd/fs.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fs = astd::fs;

astd::task<int> async_main(std::span<const std::string_view> args) {
  const fs::path top = args.size() > 1 ? args[1] : ".";
  std::uint64_t bytes = 0, files = 0, largest = 0;
  std::string largest_name = "none";
  auto entries = fs::walk(top, {.skip_denied = true});
  for (;;) {
    auto entry = co_await entries.next();
    if (!entry) break;
    auto about = co_await entry->symlink_metadata();
    bytes += about.allocated();
    ++files;
    if (about.is_regular_file() && about.size() >= largest) {
      largest = about.size();
      largest_name = entry->path().string();
    }
  }
  co_await astd::println("{} names, {} KiB on the disk, the largest is {}", files, bytes / 1024, largest_name);
  co_return 0;
}
