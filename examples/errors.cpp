// A failure seen in three ways: as an exception, as a value, and passed on without a throw.
#include <astd/fs.hpp>
#include <astd/future.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <string>
#include <system_error>

namespace fs = astd::fs;

// If the file cannot be read, first_line ends with that error, as if it had returned it.
astd::task<std::string> first_line(fs::path file) {
  auto text = co_await astd::or_return(fs::read_to_string(file));
  co_return text.substr(0, text.find('\n'));
}

astd::task<int> async_main() {
  // Awaited as it is, a failure is a std::system_error that names what failed.
  std::string thrown;
  try {
    co_await first_line("/no/such/file");
  } catch (const std::system_error& e) {
    thrown = e.what();
  }
  co_await astd::println("thrown: {}", thrown);

  // As a value it is a std::expected<std::string, std::error_code>.
  auto line = co_await astd::as_result(first_line("/no/such/file"));
  if (!line) co_await astd::println("given:  {}", line.error().message());
  co_return 0;
}
