// What can be read from and written to, whatever it is: a socket, a file, the terminal, the user's own.
//
//   template <io::reader R>
//   astd::task<std::size_t> count_bytes(R& from) {
//     std::array<char, 4096> buffer;
//     for (std::size_t all = 0;;) {
//       auto n = co_await from.read(buffer);
//       if (n == 0) co_return all;
//       all += n;
//     }
//   }
#pragma once

#include <astd/coro/awaitable.hpp>
#include <astd/io/buffer.hpp>

#include <concepts>
#include <cstddef>

namespace astd::io {
namespace detail {

template <class A>
concept gives_a_size = awaitable<A> && std::convertible_to<await_result_t<A>, std::size_t>;

}  // namespace detail

/// Has read(buffer), which gives how many bytes it put there: at least one, fewer than asked if no more were at hand,
/// 0 only at the end or if the buffer is empty. A cancelled read has taken nothing from the source.
template <class R>
concept reader = requires(R& r, mutable_bytes buffer) {
  { r.read(buffer) } -> detail::gives_a_size;
};

/// Has write(buffer), which gives how many of the bytes it took: at least one, unless the buffer is empty. A cancelled
/// write has taken none.
template <class W>
concept writer = requires(W& w, const_bytes buffer) {
  { w.write(buffer) } -> detail::gives_a_size;
};

}  // namespace astd::io
