// A writer with a buffer in front of any writer: many small writes above, few large ones below.
//
//   io::buf_writer out(file);                     // refers to the file; io::buf_writer(std::move(file)) owns it
//   for (auto& row : rows) co_await io::print(out, "{}\n", row);
//   co_await out.flush();                         // or out.close()
//
// Nothing is lost without a word: destroyed with bytes in it, it says so on standard error (see
// set_lost_exception_handler). A destructor cannot write: it would have to wait. Only a task that was cancelled, or that
// an exception leaves, says nothing: it was cut off, and whoever did it knows.
#pragma once

#include <astd/base/assert.hpp>
#include <astd/io/attempt.hpp>
#include <astd/io/concepts.hpp>
#include <astd/io/error.hpp>
#include <astd/io/flush.hpp>
#include <astd/io/unflushed.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace astd::io {

/// One operation at a time, and no move while one is in flight.
template <class W>
class buf_writer {
  struct write_op;

 public:
  /// An lvalue is referred to, an rvalue is moved in. `capacity` in bytes: when so many are buffered they are written. It
  /// is allocated when it is first needed.
  explicit buf_writer(W&& to, std::size_t capacity = 8 * 1024)
      : to_(static_cast<W&&>(to)),
        held_("io::buf_writer", std::max<std::size_t>(capacity, 1)),
        capacity_(std::max<std::size_t>(capacity, 1)) {}

  /// Takes all of `data` into the buffer if there is room, without suspending or allocating. Else writes what is buffered
  /// first; a write that is at least as large as the buffer then goes directly to the writer below. An error of that
  /// writer is given here, and keeps what is buffered: flush() tries again.
  [[nodiscard]] auto write(const_bytes data) noexcept {
    return detail::attempt<write_op>(std::in_place, *this, data);
  }

  /// Awaits until all that was written has been taken by the writer below, and that one is flushed. Failed or cancelled,
  /// what was not taken is still here.
  [[nodiscard]] task<> flush() {
    co_await or_return(held_.drain(to_));
    co_await or_return(io::flush(to_));
  }
  /// Flushes, then says the end below.
  [[nodiscard]] task<> shutdown_write() {
    co_await or_return(held_.drain(to_));
    co_await or_return(io::shutdown_write(to_));
  }
  /// Flushes, then closes the writer below. If that fails, what was not written is still here.
  [[nodiscard]] task<> close() {
    co_await or_return(held_.drain(to_));
    co_await or_return(io::close(to_));
  }
  /// Flushes, then goes to another place below.
  [[nodiscard]] task<std::uint64_t> seek(seek_from to)
    requires seekable<W>
  {
    co_await or_return(held_.drain(to_));
    const std::uint64_t now = co_await or_return(to_.seek(to));
    co_return now;
  }
  /// Flushes and gives the writer up: `auto file = co_await std::move(out).into_inner();`. If flushing fails everything
  /// stays as it was.
  [[nodiscard]] task<W> into_inner() && {
    co_await or_return(flush());
    co_return static_cast<W&&>(to_);
  }

  /// What was written and not yet taken by the writer below.
  [[nodiscard]] const_bytes buffered() const noexcept { return held_.bytes.bytes(); }
  /// Throws away what is buffered: for whoever does not want it written any more.
  void discard() noexcept { held_.bytes.clear(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  /// The writer below. Writing to it overtakes what is buffered.
  [[nodiscard]] auto& get() noexcept { return to_; }
  [[nodiscard]] const auto& get() const noexcept { return to_; }

 private:
  template <class S>
  friend class buf_stream;
  struct write_op {
    using value_type = std::size_t;
    write_op(buf_writer& w, const_bytes d) noexcept : of(&w), data(d) {}
    buf_writer* of;
    const_bytes data;
    bool now(astd::detail::outcome<std::size_t>& done) {
      if (!data.empty() && (data.size() > of->room() || data.size() >= of->capacity_)) return false;
      of->held_.bytes.append(data);
      done.set_value(data.size());
      return true;
    }
    task<std::size_t> later() { return of->write_below(data); }
  };
  [[nodiscard]] std::size_t room() const noexcept { return capacity_ - std::min(capacity_, held_.bytes.size()); }
  task<std::size_t> write_below(const_bytes data) {
    if (data.size() > room()) co_await or_return(held_.drain(to_));
    if (data.size() >= capacity_ && held_.bytes.empty()) {
      const std::size_t n = co_await or_return(to_.write(data));
      co_return n;
    }
    const const_bytes taken = data.take(room());
    held_.bytes.append(taken);
    co_return taken.size();
  }

  W to_;
  detail::unflushed_bytes held_;
  std::size_t capacity_;
};
template <class W>
buf_writer(W&&) -> buf_writer<W>;
template <class W>
buf_writer(W&&, std::size_t) -> buf_writer<W>;

}  // namespace astd::io
