// io::read_exact(reader, buffer): as many bytes as the buffer holds, not fewer.
//
//   std::array<std::byte, 8> header;
//   co_await io::read_exact(stream, header);
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/coro/task.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/error.hpp>

namespace astd::io {

/// Reads until `buffer` is full. `from` and the buffer outlive the await. Fails with errc::unexpected_end if the end
/// comes first, else as the reader does. `filled` is how much of the buffer is filled, at any time: it tells what was
/// read when this fails or is cancelled, and whoever calls it again with the same `filled` goes on there.
template <reader R>
task<> read_exact(R&& from, mutable_bytes buffer, std::size_t& filled) {
  while (filled < buffer.size()) {
    const std::size_t n = co_await or_return(from.read(buffer.drop(filled)));
    if (n == 0) co_await fail({make_error_code(errc::unexpected_end), "read_exact"});
    filled += n;
  }
}

/// The same where nobody wants to know how far it came: after a failure or a cancellation the bytes that were read are
/// in the buffer, but their number is not told.
template <reader R>
task<> read_exact(R&& from, mutable_bytes buffer) {
  while (!buffer.empty()) {
    const std::size_t n = co_await or_return(from.read(buffer));
    if (n == 0) co_await fail({make_error_code(errc::unexpected_end), "read_exact"});
    buffer = buffer.drop(n);
  }
}

}  // namespace astd::io
