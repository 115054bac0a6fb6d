// All files of a directory, read at the same time. Argument: the directory; else the current one.
#include <astd/fs.hpp>
#include <astd/future.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace fs = astd::fs;

std::vector<fs::path> files_in(fs::path directory) {
  std::vector<fs::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.is_regular_file()) files.push_back(entry.path());
  return files;
}

astd::task<std::size_t> count_lines(fs::path file) {
  auto text = co_await fs::read_to_string(file);
  co_return std::ranges::count(text, '\n');
}

astd::task<int> async_main(std::span<const std::string_view> args) {
  fs::path directory = args.size() > 1 ? args[1] : ".";
  // std::filesystem blocks, so it gets a thread where that does no harm.
  auto files = co_await astd::spawn_blocking(files_in, directory);

  std::vector<astd::task<std::size_t>> counts;
  for (const auto& file : files) counts.push_back(count_lines(file));
  auto lines = co_await astd::join(std::move(counts));

  for (std::size_t i = 0; i < files.size(); ++i)
    co_await astd::println("{:>8} {}", lines[i], files[i].filename().string());
  co_return 0;
}
