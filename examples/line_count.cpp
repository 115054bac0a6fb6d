// How many lines a file has. Argument: the file.
#include <astd/fs.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

namespace fs = astd::fs;

astd::task<std::size_t> count_lines(fs::path path) {
  auto file = co_await fs::file::open(path);
  std::array<char, 64 * 1024> buffer;
  std::size_t lines = 0;
  for (;;) {
    auto size = co_await file.read(buffer);
    if (size == 0) co_return lines;
    lines += std::ranges::count(std::span(buffer).first(size), '\n');
  }
}

astd::task<int> async_main(std::span<const std::string_view> args) {
  if (args.size() != 2) {
    co_await astd::eprintln("usage: {} FILE", args[0]);
    co_return 2;
  }
  auto lines = co_await count_lines(args[1]);
  co_await astd::println("{} has {} lines", args[1], lines);
  co_return 0;
}
