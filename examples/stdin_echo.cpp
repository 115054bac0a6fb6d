// Says again every line that it reads, until an empty one or the end.
#include <astd/io.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

namespace io = astd::io;

astd::task<int> async_main() {
  auto input = io::standard_input();
  for (;;) {
    auto line = co_await input.read_line();
    if (!line || line->empty()) co_return 0;
    co_await astd::println("{}", *line);
  }
}
