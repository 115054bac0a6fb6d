// Standard output and standard error as writers, for what takes a writer. Text goes there by astd::print.
//
//   auto output = io::standard_output();
//   co_await io::copy(file, output);
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/buffer.hpp>
#include <astd/io/native_handle.hpp>

#include <cstddef>

namespace astd::io {

/// A handle to one of the two; copies write to the same place. Nothing is buffered here: io::line_writer or io::buf_writer
/// do that. Any thread; writers that come at the same time, print() among them, take turns, each with one write.
/// Fails as write(2) does, naming the stream: std::errc::broken_pipe when nobody reads any more.
class standard_output_stream {
 public:
  /// How many of the bytes were taken. Cancelled, none were. `data` outlives the await.
  [[nodiscard]] task<std::size_t> write(const_bytes data);
  /// Whether a person may be looking at it.
  [[nodiscard]] bool is_terminal() const noexcept;
  /// Still the process's.
  [[nodiscard]] os::native_handle as_native_handle() const noexcept { return descriptor_; }

 private:
  friend standard_output_stream standard_output() noexcept;
  friend standard_output_stream standard_error() noexcept;
  explicit standard_output_stream(int descriptor) noexcept : descriptor_(descriptor) {}
  int descriptor_;
};

/// What std::cout and std::cerr are, awaited and without their buffers.
inline standard_output_stream standard_output() noexcept { return standard_output_stream(1); }
inline standard_output_stream standard_error() noexcept { return standard_output_stream(2); }

}  // namespace astd::io
