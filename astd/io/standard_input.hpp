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
#include <astd/io/native_handle.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace astd::io {

class standard_input_lines;

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

  /// Appends the next line to `to`, with its "\n" if it had one; gives the number of bytes, 0 at the end. `to` outlives the
  /// await; it keeps what it held, and is not touched by a read that fails or is cancelled.
  task<std::size_t> read_line(std::string& to);

  /// A stream: next() is read_line().
  [[nodiscard]] standard_input_lines lines() const noexcept;

  /// Whether a person may be typing it.
  [[nodiscard]] bool is_terminal() const noexcept;
  /// Still the process's. What was read already is in our buffer, not there.
  [[nodiscard]] os::native_handle as_native_handle() const noexcept { return 0; }
};

/// The lines of standard input. Any thread; whoever asks gets the next one.
class standard_input_lines {
 public:
  using value_type = std::string;
  /// Empty at the end.
  [[nodiscard]] ASTD_CORO_WRAPPER task<std::optional<std::string>> next() {
    return standard_input_stream().read_line();
  }
};

inline standard_input_lines standard_input_stream::lines() const noexcept { return {}; }

/// What std::cin is, awaited. std::cin and stdin have buffers of their own: use one or the other.
inline standard_input_stream standard_input() noexcept { return {}; }

}  // namespace astd::io
