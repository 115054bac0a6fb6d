// Formatted text to standard output and standard error.
//
//   co_await println("{} of {} done", done, all);
//   co_await eprintln("{}: {}", path, error.message());
//
// The text is formatted when the function is called, by fmt and with the format string checked by the compiler, and
// written when it is awaited. Text and newline go out together, in one write if the system takes them in one, and calls
// that run at the same time never mix. There is no buffer of ours to flush.
//
// Each can fail as a write can (std::errc::broken_pipe when nobody reads any more) and then names the stream. Cancelled
// before the first byte it writes nothing; later, what the system has not taken yet is not written.
#pragma once

#include <astd/base/config.hpp>
#include <astd/coro/task.hpp>

#include <fmt/core.h>

#include <string>
#include <utility>

namespace astd {
namespace io::detail {

task<> write_text(int descriptor, std::string text);
std::string format_text(fmt::string_view format, fmt::format_args args, bool newline);

}  // namespace io::detail

/// To standard output.
template <class... Args>
ASTD_CORO_WRAPPER task<> print(fmt::format_string<Args...> format, Args&&... args) {
  return io::detail::write_text(1, io::detail::format_text(format, fmt::make_format_args(args...), false));
}
/// To standard output, with a newline behind it.
template <class... Args>
ASTD_CORO_WRAPPER task<> println(fmt::format_string<Args...> format, Args&&... args) {
  return io::detail::write_text(1, io::detail::format_text(format, fmt::make_format_args(args...), true));
}
/// A newline alone.
ASTD_CORO_WRAPPER inline task<> println() { return io::detail::write_text(1, "\n"); }
/// To standard error.
template <class... Args>
ASTD_CORO_WRAPPER task<> eprint(fmt::format_string<Args...> format, Args&&... args) {
  return io::detail::write_text(2, io::detail::format_text(format, fmt::make_format_args(args...), false));
}
/// To standard error, with a newline behind it.
template <class... Args>
ASTD_CORO_WRAPPER task<> eprintln(fmt::format_string<Args...> format, Args&&... args) {
  return io::detail::write_text(2, io::detail::format_text(format, fmt::make_format_args(args...), true));
}
ASTD_CORO_WRAPPER inline task<> eprintln() { return io::detail::write_text(2, "\n"); }

}  // namespace astd
