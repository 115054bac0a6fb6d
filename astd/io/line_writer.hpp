// A writer that writes whole lines: what a terminal or a log is to show at once, in few writes.
//
//   io::line_writer out(io::standard_output());
//   co_await io::write_all(out, "one, ");            // is kept
//   co_await io::write_all(out, "two\nthree");       // "one, two\n" goes out, "three" is kept
//   co_await out.flush();
#pragma once

#include <astd/io/buf_writer.hpp>
#include <astd/io/vectored.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace astd::io {

/// As buf_writer, but what ends with a newline is not kept. One operation at a time.
template <class W>
class line_writer {
 public:
  explicit line_writer(W&& to, std::size_t capacity = 1024)
      : to_(static_cast<W&&>(to)),
        held_("io::line_writer", std::max<std::size_t>(capacity, 1)),
        capacity_(std::max<std::size_t>(capacity, 1)) {}

  /// Up to the last newline in `data`: what is kept and this go out together. Without one it is kept; a line that is
  /// longer than the buffer goes out in parts.
  [[nodiscard]] task<std::size_t> write(const_bytes data) {
    if (data.empty()) co_return 0;
    const std::size_t lines = line_end(data);
    if (lines == 0 && held_.bytes.size() + data.size() <= capacity_) {
      held_.bytes.append(data);
      co_return data.size();
    }
    const const_bytes out = lines ? data.take(lines) : data;
    for (;;) {
      std::array<const_bytes, 2> both{held_.bytes.bytes(), out};
      auto wrote = co_await detail::outcome_of(io::write_vectored(to_, std::span<const const_bytes>(both)));
      if (!held_.took(wrote)) co_await or_return(detail::pass_on(wrote));
      const std::size_t n = std::move(wrote).get();
      held_.told = n == 0;
      if (n == 0) co_await fail(make_error_code(errc::nothing_written));
      const std::size_t old = std::min(n, held_.bytes.size());
      held_.bytes.consume(old);
      if (n > old) co_return n - old;
    }
  }

  /// As buf_writer's.
  [[nodiscard]] task<> flush() {
    co_await or_return(held_.drain(to_));
    co_await or_return(io::flush(to_));
  }
  [[nodiscard]] task<> shutdown_write() {
    co_await or_return(held_.drain(to_));
    co_await or_return(io::shutdown_write(to_));
  }
  [[nodiscard]] task<> close() {
    co_await or_return(held_.drain(to_));
    co_await or_return(io::close(to_));
  }

  /// The part of a line that waits for its end.
  [[nodiscard]] const_bytes buffered() const noexcept { return held_.bytes.bytes(); }
  void discard() noexcept { held_.bytes.clear(); }
  [[nodiscard]] auto& get() noexcept { return to_; }

 private:
  static std::size_t line_end(const_bytes data) noexcept {
    for (std::size_t n = data.size(); n; --n)
      if (data.data()[n - 1] == std::byte('\n')) return n;
    return 0;
  }

  W to_;
  detail::unflushed_bytes held_;
  std::size_t capacity_;
};
template <class W>
line_writer(W&&) -> line_writer<W>;
template <class W>
line_writer(W&&, std::size_t) -> line_writer<W>;

}  // namespace astd::io
