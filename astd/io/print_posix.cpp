#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/io/descriptor_operations.hpp>
#include <astd/io/error.hpp>
#include <astd/io/standard_stream.hpp>
#include <astd/print.hpp>

#include <fmt/format.h>

#include <poll.h>

namespace astd::io::detail {

std::string format_text(fmt::string_view format, fmt::format_args args, bool newline) {
  fmt::memory_buffer text;
  fmt::vformat_to(fmt::appender(text), format, args);
  if (newline) text.push_back('\n');
  return fmt::to_string(text);
}

task<> write_text(int descriptor, std::string text) {
  standard_output_state& output = standard_output_state_of(descriptor);
  const auto hold = co_await output.writers.wait();
  const_bytes rest = text;
  while (!rest.empty()) {
    const auto written = co_await as_result(write_to(output.descriptor, rest, output.name));
    if (written) {
      if (*written == 0) co_await fail({make_error_code(errc::nothing_written), "write", output.name});
      rest = rest.drop(*written);
    } else if (written.error() == std::errc::resource_unavailable_try_again) {
      // The descriptor was made non-blocking, by us or by whoever else has it.
      co_await or_return(poll(output.descriptor, POLLOUT, output.name));
    } else {
      co_await fail({written.error(), "write", output.name});
    }
  }
}

}  // namespace astd::io::detail
