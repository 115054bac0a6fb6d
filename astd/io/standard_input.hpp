// What the user types, or what is piped into the program.
//
//   auto input = io::standard_input();
//   for (;;) {
//     auto line = co_await input.read_line();      // std::optional<std::string>
//     if (!line) break;
//     co_await println("You said {}", *line);
//   }
//
// A read that is cancelled, by a timeout for instance, swallows nothing: what was typed is there for the next one.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/buffer.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace astd::io {

/// A handle to the process's standard input: copies and other handles read from the same buffer. Any thread; readers
/// that come at the same time are served one after the other, each with a whole line or one read's worth of bytes.
/// Reads fail as read(2) does, naming "standard input".
class standard_input_stream {
 public:
  /// Up to buffer.size() bytes, as soon as there are any; 0 at the end. After the end of a terminal's input (Ctrl-D)
  /// the next read waits for more. `buffer` outlives the await.
  task<std::size_t> read(mutable_bytes buffer);

  /// The next line without the "\n" or "\r\n" that ended it; the last one may have had neither. Empty at the end.
  /// Whatever bytes there are: nothing is decoded. Memory grows with the length of the line.
  task<std::optional<std::string>> read_line();
};

/// What std::cin is, awaited. std::cin and stdin have buffers of their own: use one or the other.
inline standard_input_stream standard_input() noexcept { return {}; }

}  // namespace astd::io
