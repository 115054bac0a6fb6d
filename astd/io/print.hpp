// io::print(writer, format, ...): formatted text to any writer.
//
//   co_await io::print(stream, "{} {}\r\n", code, reason);
//   co_await io::println(log, "{} connections", n);
#pragma once

#include <astd/io/write_all.hpp>
#include <astd/print.hpp>

#include <string>
#include <utility>

namespace astd::io {
namespace detail {

template <class W>
task<> print_to(W& to, std::string text) {
  co_await or_return(io::write_all(to, const_bytes(text)));
}

}  // namespace detail

/// The text is made when this is called, as astd::print() does, and written as write_all() does when it is awaited. `to`
/// outlives the await; nothing is flushed.
template <writer W, class... Args>
[[nodiscard]] ASTD_CORO_WRAPPER task<> print(W&& to, fmt::format_string<Args...> format, Args&&... args) {
  return detail::print_to(to, detail::format_text(format, fmt::make_format_args(args...), false));
}
/// With a newline behind it, in the same write.
template <writer W, class... Args>
[[nodiscard]] ASTD_CORO_WRAPPER task<> println(W&& to, fmt::format_string<Args...> format, Args&&... args) {
  return detail::print_to(to, detail::format_text(format, fmt::make_format_args(args...), true));
}
template <writer W>
[[nodiscard]] ASTD_CORO_WRAPPER task<> println(W&& to) {
  return detail::print_to(to, "\n");
}

}  // namespace astd::io
