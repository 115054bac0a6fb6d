// io::seek(s, where), io::rewind(s), io::stream_position(s).
//
//   co_await io::rewind(file);
//   auto size = co_await io::seek(file, io::seek_from::end(0));
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/coro/task.hpp>
#include <astd/io/concepts.hpp>

namespace astd::io {

/// Goes there; gives the place, in bytes from the beginning. Fails as `s` does.
template <seekable S>
[[nodiscard]] auto seek(S&& s, seek_from to) {
  return s.seek(to);
}

/// To the beginning.
template <seekable S>
task<> rewind(S&& s) {
  const std::uint64_t place = co_await or_return(s.seek(seek_from::start(0)));
  static_cast<void>(place);
}

/// Where it reads or writes next, in bytes from the beginning.
template <seekable S>
[[nodiscard]] auto stream_position(S&& s) {
  return s.seek(seek_from::current(0));
}

}  // namespace astd::io
