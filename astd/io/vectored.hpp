// Several buffers in one read or write: a header and its body without copying them together.
//
//   std::array<io::const_bytes, 2> parts{head, body};
//   co_await io::write_all_vectored(stream, parts);
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/coro/task.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace astd::io {
namespace detail {

/// The first that is not empty, where only one can be used.
template <class B>
B first_filled(std::span<const B> buffers) noexcept {
  for (const B& b : buffers)
    if (!b.empty()) return b;
  return {};
}

}  // namespace detail

/// One read into `buffers`, the first first; the number of bytes. A reader that cannot do so reads into the first buffer
/// that is not empty. The span and the buffers outlive the await. As the reader's read() otherwise.
template <reader R>
[[nodiscard]] auto read_vectored(R&& from, std::span<const mutable_bytes> buffers) {
  if constexpr (vectored_reader<R>)
    return from.read_vectored(buffers);
  else
    return from.read(detail::first_filled(buffers));
}

/// One write of `buffers`, the first first; the number of bytes that were taken. A writer that cannot do so is given the
/// first buffer that is not empty.
template <writer W>
[[nodiscard]] auto write_vectored(W&& to, std::span<const const_bytes> buffers) {
  if constexpr (vectored_writer<W>)
    return to.write_vectored(buffers);
  else
    return to.write(detail::first_filled(buffers));
}

/// Writes all of `buffers`, a few at a time. Fails as write_all() does; `written`, if given, tells how many bytes of all
/// were taken, and where to go on.
template <writer W>
task<> write_all_vectored(W&& to, std::span<const const_bytes> buffers, std::size_t& written) {
  for (;;) {
    std::array<const_bytes, 16> next;
    std::size_t count = 0;
    std::size_t skip = written;
    for (const const_bytes& b : buffers) {
      if (skip >= b.size()) {
        skip -= b.size();
        continue;
      }
      next[count++] = b.drop(skip);
      skip = 0;
      if (count == next.size()) break;
    }
    if (count == 0) co_return;
    const std::size_t n =
        co_await or_return(io::write_vectored(to, std::span<const const_bytes>(next.data(), count)));
    if (n == 0) co_await fail(make_error_code(errc::nothing_written));
    written += n;
  }
}
template <writer W>
task<> write_all_vectored(W&& to, std::span<const const_bytes> buffers) {
  std::size_t written = 0;
  co_await or_return(io::write_all_vectored(to, buffers, written));
}

}  // namespace astd::io
