// A reader with a buffer in front of any reader: few large reads below, many small ones above.
//
//   io::buf_reader in(stream);                    // refers to the stream; io::buf_reader(std::move(stream)) owns it
//   std::string line;
//   co_await io::read_line(in, line);
#pragma once

#include <astd/base/assert.hpp>
#include <astd/io/attempt.hpp>
#include <astd/io/byte_buffer.hpp>
#include <astd/io/concepts.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <system_error>
#include <utility>

namespace astd::io {

/// One operation at a time, and no move while one is in flight. What is in the buffer when it is destroyed is gone.
template <class R>
class buf_reader {
  struct fill_op;
  struct read_op;

 public:
  /// An lvalue is referred to, an rvalue is moved in. `capacity` is the buffer's size in bytes, allocated when it is first
  /// needed.
  explicit buf_reader(R&& from, std::size_t capacity = 8 * 1024)
      : from_(static_cast<R&&>(from)),
        held_(std::max<std::size_t>(capacity, 1)),
        capacity_(std::max<std::size_t>(capacity, 1)) {}

  /// Of what is buffered, else of one read below: a buffer that is at least as large as ours is read into directly.
  /// Neither suspends nor allocates if there is something in the buffer.
  [[nodiscard]] auto read(mutable_bytes to) noexcept { return detail::attempt<read_op>(std::in_place, *this, to); }

  [[nodiscard]] const_bytes buffered() const noexcept { return held_.bytes(); }
  /// What is buffered; reads if that is nothing.
  [[nodiscard]] auto fill() noexcept { return detail::attempt<fill_op>(std::in_place, *this, std::size_t{1}); }
  /// The same, but reads until there are at least `least` bytes, or the end: for headers. The buffer grows if it has to.
  [[nodiscard]] auto fill(std::size_t least) noexcept {
    return detail::attempt<fill_op>(std::in_place, *this, least);
  }
  void consume(std::size_t n) noexcept {
    ASTD_ASSERT(n <= held_.size(), "buf_reader::consume: more than is buffered");
    held_.consume(n);
  }

  /// As `from`, whose place is corrected by what is buffered; the buffer is empty then. A seek that fails or is cancelled
  /// has changed nothing.
  [[nodiscard]] task<std::uint64_t> seek(seek_from to)
    requires seekable<R>
  {
    if (to.from() == seek_from::base::current) {
      const auto ahead = static_cast<std::int64_t>(held_.size());
      // Far before any beginning.
      if (to.offset() < std::numeric_limits<std::int64_t>::min() + ahead)
        co_await fail({std::make_error_code(std::errc::invalid_argument), "seek", "a buf_reader"});
      to = seek_from::current(to.offset() - ahead);
    }
    const std::uint64_t now = co_await or_return(from_.seek(to));
    held_.clear();
    co_return now;
  }

  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  /// The reader below. Reading from it passes by what is buffered.
  [[nodiscard]] auto& get() noexcept { return from_; }
  [[nodiscard]] const auto& get() const noexcept { return from_; }
  /// Gives the reader up. What is buffered is lost: see buffered().
  [[nodiscard]] R into_inner() && { return static_cast<R&&>(from_); }

 private:
  template <class S>
  friend class buf_stream;
  struct read_op {
    using value_type = std::size_t;
    read_op(buf_reader& r, mutable_bytes b) noexcept : of(&r), to(b) {}
    buf_reader* of;
    mutable_bytes to;
    bool now(astd::detail::outcome<std::size_t>& done) noexcept {
      if (of->held_.empty() && !to.empty()) return false;
      const std::size_t n = detail::copy_bytes(of->held_.bytes(), to);
      of->held_.consume(n);
      done.set_value(n);
      return true;
    }
    task<std::size_t> later() { return of->read_below(to); }
  };
  struct fill_op {
    using value_type = const_bytes;
    fill_op(buf_reader& r, std::size_t n) noexcept : of(&r), least(n) {}
    buf_reader* of;
    std::size_t least;
    bool now(astd::detail::outcome<const_bytes>& done) noexcept {
      if (of->held_.size() < least) return false;
      done.set_value(of->held_.bytes());
      return true;
    }
    task<const_bytes> later() { return of->fill_below(least); }
  };
  task<std::size_t> read_below(mutable_bytes to) {
    if (to.size() >= capacity_) {
      const std::size_t n = co_await or_return(from_.read(to));
      co_return n;
    }
    const std::size_t added = co_await or_return(from_.read(held_.room()));
    held_.added(added);
    const std::size_t n = detail::copy_bytes(held_.bytes(), to);
    held_.consume(n);
    co_return n;
  }
  task<const_bytes> fill_below(std::size_t least) {
    while (held_.size() < least) {
      const std::size_t added = co_await or_return(from_.read(held_.room(least - held_.size())));
      if (added == 0) break;
      held_.added(added);
    }
    co_return held_.bytes();
  }

  R from_;
  byte_buffer held_;
  std::size_t capacity_;
};
template <class R>
buf_reader(R&&) -> buf_reader<R>;
template <class R>
buf_reader(R&&, std::size_t) -> buf_reader<R>;

}  // namespace astd::io
