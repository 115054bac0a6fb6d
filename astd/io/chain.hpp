// io::chain(a, b): what a gives, then what b gives. io::take(reader, n): at most n bytes.
//
//   auto both = io::chain(header, body);
//   auto text = co_await io::read_to_string(io::take(both, 1'000'000));
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/coro/task.hpp>
#include <astd/io/concepts.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace astd::io {

/// Made by io::chain. Reads the first until that ends, for good; has a buffer if both have one.
template <class A, class B>
class chain_reader {
  static constexpr bool both_buffered = buffered_reader<A> && buffered_reader<B>;

 public:
  chain_reader(A&& first, B&& second) : first_(static_cast<A&&>(first)), second_(static_cast<B&&>(second)) {}

  [[nodiscard]] task<std::size_t> read(mutable_bytes to) {
    if (to.empty()) co_return 0;
    if (!first_ended_) {
      const std::size_t n = co_await or_return(first_.read(to));
      if (n != 0) co_return n;
      first_ended_ = true;
    }
    const std::size_t n = co_await or_return(second_.read(to));
    co_return n;
  }
  [[nodiscard]] const_bytes buffered() const noexcept
    requires both_buffered
  {
    return first_ended_ ? second_.buffered() : first_.buffered();
  }
  [[nodiscard]] task<const_bytes> fill()
    requires both_buffered
  {
    if (!first_ended_) {
      const const_bytes held = co_await or_return(first_.fill());
      if (!held.empty()) co_return held;
      first_ended_ = true;
    }
    const const_bytes held = co_await or_return(second_.fill());
    co_return held;
  }
  void consume(std::size_t n) noexcept
    requires both_buffered
  {
    first_ended_ ? second_.consume(n) : first_.consume(n);
  }

  [[nodiscard]] auto& first() noexcept { return first_; }
  [[nodiscard]] auto& second() noexcept { return second_; }
  [[nodiscard]] std::pair<A, B> into_inner() && { return {static_cast<A&&>(first_), static_cast<B&&>(second_)}; }

 private:
  A first_;
  B second_;
  bool first_ended_ = false;
};

/// Rvalues are moved in, lvalues are referred to.
template <reader A, reader B>
[[nodiscard]] chain_reader<A, B> chain(A&& first, B&& second) {
  return chain_reader<A, B>(static_cast<A&&>(first), static_cast<B&&>(second));
}

/// Made by io::take. Asks the reader for no more than is left; at 0 it is at its end, and asks for nothing.
template <class R>
class take_reader {
 public:
  take_reader(R&& from, std::uint64_t limit) : from_(static_cast<R&&>(from)), limit_(limit) {}

  [[nodiscard]] task<std::size_t> read(mutable_bytes to) {
    to = to.take(left());
    if (to.empty()) co_return 0;
    const std::size_t n = co_await or_return(from_.read(to));
    limit_ -= n;
    co_return n;
  }
  [[nodiscard]] const_bytes buffered() const noexcept
    requires buffered_reader<R>
  {
    return from_.buffered().take(left());
  }
  [[nodiscard]] task<const_bytes> fill()
    requires buffered_reader<R>
  {
    if (limit_ == 0) co_return const_bytes();
    const const_bytes held = co_await or_return(from_.fill());
    co_return held.take(left());
  }
  void consume(std::size_t n) noexcept
    requires buffered_reader<R>
  {
    from_.consume(n);
    limit_ -= n;
  }

  /// How many bytes may still come.
  [[nodiscard]] std::uint64_t limit() const noexcept { return limit_; }
  void set_limit(std::uint64_t limit) noexcept { limit_ = limit; }
  [[nodiscard]] auto& get() noexcept { return from_; }
  [[nodiscard]] R into_inner() && { return static_cast<R&&>(from_); }

 private:
  [[nodiscard]] std::size_t left() const noexcept {
    return static_cast<std::size_t>(std::min<std::uint64_t>(limit_, SIZE_MAX));
  }
  R from_;
  std::uint64_t limit_;
};

/// An rvalue is moved in, an lvalue is referred to. Two times io::take of the same reader go on behind each other.
template <reader R>
[[nodiscard]] take_reader<R> take(R&& from, std::uint64_t limit) {
  return take_reader<R>(static_cast<R&&>(from), limit);
}

}  // namespace astd::io
