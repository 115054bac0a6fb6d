// Prints a file. Argument: the file.
#include <astd/fs.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <span>
#include <string_view>

namespace fs = astd::fs;

astd::task<int> async_main(std::span<const std::string_view> args) {
  if (args.size() != 2) {
    co_await astd::eprintln("usage: {} FILE", args[0]);
    co_return 2;
  }
  auto text = co_await fs::read_to_string(args[1]);
  co_await astd::print("{}", text);
  co_return 0;
}
