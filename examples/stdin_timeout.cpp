// Reads one line, for five seconds at most; a timeout swallows nothing of what is typed.
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <chrono>

using namespace std::chrono_literals;
namespace io = astd::io;

astd::task<int> async_main() {
  co_await astd::println("Type a line, within five seconds");
  auto input = io::standard_input();
  auto line = co_await astd::as_result(astd::timeout(5s, input.read_line()));

  if (!line)
    co_await astd::println("No line: {}", line.error().message());
  else if (!*line)
    co_await astd::println("No line: the input has ended");
  else
    co_await astd::println("Got \"{}\"", **line);
  co_return 0;
}
