#include <astd/coro/or_return.hpp>
#include <astd/io/descriptor_operations.hpp>
#include <astd/io/error.hpp>
#include <astd/io/outcome_of.hpp>
#include <astd/io/standard_output.hpp>
#include <astd/io/standard_stream.hpp>
#include <astd/print.hpp>

#include <fmt/format.h>

#include <poll.h>
#include <unistd.h>

namespace astd::io::detail {

std::string format_text(fmt::string_view format, fmt::format_args args, bool newline) {
  fmt::memory_buffer text;
  fmt::vformat_to(fmt::appender(text), format, args);
  if (newline) text.push_back('\n');
  return fmt::to_string(text);
}

namespace {

// One write, by the holder of the turn.
task<std::size_t> write_some(const standard_output_state& output, const_bytes data) {
  for (;;) {
    auto wrote = co_await outcome_of(write_to(output.descriptor, data, output.name));
    if (wrote.has_value()) co_return std::move(wrote).get();
    // The descriptor was made non-blocking, by us or by whoever else has it.
    if (wrote.what() == decltype(wrote)::kind::failed &&
        wrote.error().code() == std::errc::resource_unavailable_try_again)
      co_await or_return(poll(output.descriptor, POLLOUT, output.name));
    else
      co_await or_return(pass_on(wrote));
  }
}

}  // namespace

task<> write_text(int descriptor, std::string text) {
  standard_output_state& output = standard_output_state_of(descriptor);
  const auto hold = co_await output.writers.wait();
  const_bytes rest = text;
  while (!rest.empty()) {
    const std::size_t n = co_await or_return(write_some(output, rest));
    if (n == 0) co_await fail({make_error_code(errc::nothing_written), "write", output.name});
    rest = rest.drop(n);
  }
}

}  // namespace astd::io::detail

namespace astd::io {

task<std::size_t> standard_output_stream::write(const_bytes data) {
  if (data.empty()) co_return 0;
  detail::standard_output_state& output = detail::standard_output_state_of(descriptor_);
  const auto hold = co_await output.writers.wait();
  const std::size_t n = co_await or_return(detail::write_some(output, data));
  co_return n;
}

bool standard_output_stream::is_terminal() const noexcept { return ::isatty(descriptor_) == 1; }

}  // namespace astd::io
