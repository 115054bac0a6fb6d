#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/io/descriptor_operations.hpp>
#include <astd/io/lines.hpp>
#include <astd/io/standard_input.hpp>
#include <astd/io/standard_stream.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace astd::io {
namespace {

// Reads more into the buffer; the number of bytes, 0 at the end. By the holder of the turn.
//
// Waiting for input takes nothing away, so it can be cancelled at any time. A read that has begun is another thing: what
// it got arrives here, and so in the buffer, even if the chain stops right after.
task<std::size_t> fill(detail::standard_input_state& input) {
  for (;;) {
    co_await or_return(detail::poll(input.descriptor, POLLIN, input.name));
    const auto got = co_await as_result(detail::read_from(input.descriptor, input.room(), input.name));
    if (got) {
      input.added(*got);
      co_return *got;
    }
    // Somebody else who reads from this pipe or terminal was faster.
    if (got.error() == std::errc::resource_unavailable_try_again) continue;
    co_await fail({got.error(), "read", input.name});
  }
}

// Gives the length of the next line with its newline; of what is there, at the end.
task<std::size_t> whole_line(detail::standard_input_state& input) {
  for (std::size_t searched = 0;;) {
    const std::size_t end = input.held().find('\n', searched);
    if (end != std::string_view::npos) co_return end + 1;
    searched = input.held().size();
    const std::size_t added = co_await or_return(fill(input));
    if (added == 0) co_return input.held().size();
  }
}

}  // namespace

task<std::size_t> standard_input_stream::read(mutable_bytes buffer) {
  if (buffer.empty()) co_return 0;
  detail::standard_input_state& input = detail::the_standard_input();
  const auto hold = co_await input.readers.wait();
  if (input.held().empty()) {
    const std::size_t added = co_await or_return(fill(input));
    if (added == 0) co_return 0;
  }
  const std::size_t size = std::min(buffer.size(), input.held().size());
  std::memcpy(buffer.data(), input.held().data(), size);
  input.consume(size);
  co_return size;
}

task<std::optional<std::string>> standard_input_stream::read_line() {
  std::string line;
  const std::size_t size = co_await or_return(read_line(line));
  if (size == 0) co_return std::nullopt;
  detail::trim_piece(line, '\n', true);
  co_return line;
}

task<std::size_t> standard_input_stream::read_line(std::string& to) {
  detail::standard_input_state& input = detail::the_standard_input();
  const auto hold = co_await input.readers.wait();
  const std::size_t size = co_await or_return(whole_line(input));
  to.append(input.held().substr(0, size));
  input.consume(size);
  co_return size;
}

bool standard_input_stream::is_terminal() const noexcept {
  return ::isatty(detail::standard_input_state::descriptor) == 1;
}

}  // namespace astd::io
