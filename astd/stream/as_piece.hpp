// What can be made a piece: pieces, whatever has a next(), and ranges.
#pragma once

#include <astd/base/construct.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/runtime/slice.hpp>
#include <astd/stream/piece.hpp>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

namespace astd::stream::detail {

template <class O>
concept optional_like = requires(O& o) {
  o ? 1 : 0;
  *std::move(o);
};
template <class S>
concept has_next = requires(std::remove_reference_t<S>& s) {
  { s.next() } -> awaitable;
  requires optional_like<std::remove_reference_t<await_result_t<decltype(s.next())>>>;
};
/// Whose next() takes at once what readable() has told of: a channel's receiver.
template <class S>
concept tells_arrivals = requires(std::remove_reference_t<S>& s) {
  { s.readable() } -> awaitable;
  s.try_recv();
};
template <class S>
concept is_range = requires(std::remove_reference_t<S>& r) {
  std::begin(r) != std::end(r);
  *std::begin(r);
};

/// A piece that is owned by somebody else, who also stops what runs in it.
template <class S>
class borrowed : public piece_base<borrowed<S>> {
 public:
  using element = element_t<S>;
  explicit borrowed(S& s) noexcept : stream_(&s) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    return stream_->run(sink, error);
  }
  template <class Sink>
  flow run_back(Sink&& sink, outcome<void>& error)
    requires requires(S& s) { s.run_back(sink, error); }
  {
    return stream_->run_back(sink, error);
  }
  resumable* wait(const await_context& c) { return stream_->wait(c); }
  void abandon() noexcept { stream_->abandon(); }
  [[nodiscard]] size_bounds bounds() const { return stream_->bounds(); }
  auto arrival()
    requires can_be_watched<S>
  {
    return stream_->arrival();
  }

 private:
  S* stream_;
};

/// Anything with next(). `S`: an object or an lvalue reference.
template <class S>
class next_source : public piece_base<next_source<S>> {
  using next_type = decltype(std::declval<std::remove_reference_t<S>&>().next());
  using gives = typename operation<next_type>::value_type;

 public:
  using element = as_element<decltype(*std::declval<std::remove_reference_t<gives>>())>;
  explicit next_source(S&& s) : source_(static_cast<S&&>(s)) {}

  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    for (;;) {
      if (over_) return flow::end;
      if (!operation_.is_live()) {
        if (ration_.is_out()) return flow::yield;
        operation_.begin([this]() -> next_type { return source_.next(); });
        if (!operation_.is_ready()) return flow::wait;
      }
      outcome<gives> o;
      operation_.end(o);
      if (o.failed()) [[unlikely]] {
        error.set_error_of(o);
        return flow::failed;
      }
      auto&& next = std::move(o).get();
      if (!next) {
        over_ = true;
        return flow::end;
      }
      if (!sink(static_cast<element&&>(*std::move(next)))) return flow::stopped;
    }
  }
  resumable* wait(const await_context& c) { return operation_.start(c); }
  void abandon() noexcept { operation_.reset(); }
  auto arrival()
    requires tells_arrivals<S>
  {
    return source_.readable();
  }
  [[nodiscard]] size_bounds bounds() const {
    if constexpr (requires {
                    { source_.size_hint() } -> std::same_as<size_bounds>;
                  })
      return over_ ? size_bounds{0, 0} : source_.size_hint();
    else
      return over_ ? size_bounds{0, 0} : size_bounds{};
  }

 private:
  S source_;
  operation<next_type> operation_;
  ration ration_;
  bool over_ = false;
};

/// Any range. `R`: an object or an lvalue reference. The elements of an object that is a container are moved out of it.
template <class R>
class range_source : public piece_base<range_source<R>> {
  using range = std::remove_reference_t<R>;
  using iterator = decltype(std::begin(std::declval<range&>()));
  using sentinel = decltype(std::end(std::declval<range&>()));
  using reference = decltype(*std::declval<iterator&>());
  static constexpr bool owns = !std::is_reference_v<R>;
  static constexpr bool is_container = requires { typename range::value_type; } &&
                                       std::is_lvalue_reference_v<reference> && !requires(range& r) { r.base(); };
  static constexpr bool is_forward = std::forward_iterator<iterator>;

 public:
  using element = std::conditional_t<owns && is_container, value_t<reference>, as_element<reference>>;
  explicit range_source(R&& r) : range_(static_cast<R&&>(r)) {}
  // The iterators of a range that is moved may not be good any more.
  range_source(range_source&& other) : range_(static_cast<R&&>(other.range_)) { find_place_of(other); }
  range_source(const range_source& other)
    requires(std::copyable<iterator> && (std::is_reference_v<R> || std::copy_constructible<R>))
      : range_(static_cast<const range_source&>(other).range_) {
    find_place_of(other);
  }
  range_source& operator=(range_source other) {
    detail::destroy(*this);
    detail::construct(*this, std::move(other));
    return *this;
  }

  template <class Sink>
  flow run(Sink&& sink, outcome<void>&) {
    begin();
    // A local: the compiler keeps it in registers for the length of the loop.
    place here(*this, *at_);
    const sentinel end = *end_;
    for (;;) {
      if (here.at == end) return flow::end;
      if (here.given % 16 == 15 && !spend_slice()) {
        ++here.given;
        --here.extra;
        return flow::yield;
      }
      if constexpr (is_forward) {
        iterator const now = here.at;
        here.go_on();
        if (!sink(get(now))) return flow::stopped;
      } else {
        const bool more = sink(get(here.at));
        here.go_on();
        if (!more) return flow::stopped;
      }
    }
  }
  template <class Sink>
  flow run_back(Sink&& sink, outcome<void>&)
    requires std::bidirectional_iterator<iterator> && std::same_as<iterator, sentinel>
  {
    begin();
    for (;;) {
      if (*at_ == *end_) return flow::end;
      if (back_ % 16 == 15 && !std::exchange(asked_, true) && !spend_slice()) return flow::yield;
      asked_ = false;
      --*end_;
      ++back_;
      if (!sink(get(*end_))) return flow::stopped;
    }
  }
  [[nodiscard]] size_bounds bounds() const {
    if constexpr (requires { std::size(range_); }) {
      const auto n = static_cast<std::size_t>(std::size(range_)) - taken_ - back_;
      return {n, n};
    } else if constexpr (std::random_access_iterator<iterator> && std::sized_sentinel_for<sentinel, iterator> &&
                         requires { std::begin(range_); }) {
      const auto n = static_cast<std::size_t>(std::end(range_) - std::begin(range_)) - taken_ - back_;
      return {n, n};
    } else {
      return {};
    }
  }

 private:
  // Where a run is; noted when it ends, however it does.
  struct place {
    place(range_source& of, iterator& from) : at(from), source(of) {}
    place(const place&) = delete;
    ~place() {
      source.taken_ = source.taken_ + (given - source.given_) + extra;
      source.given_ = given;
      if constexpr (is_forward) *source.at_ = at;
    }
    void go_on() {
      ++at;
      ++given;
    }
    std::conditional_t<is_forward, iterator, iterator&> at;
    range_source& source;
    std::size_t given = source.given_;
    std::size_t extra = 0;
  };
  static element get(const iterator& at)
    requires(!std::is_reference_v<element>)
  {
    if constexpr (owns && is_container && !std::is_const_v<std::remove_reference_t<reference>>)
      return std::move(*at);
    else
      return *at;
  }
  static element get(const iterator& at)
    requires std::is_reference_v<element>
  {
    return *at;
  }
  void begin() {
    if (at_) return;
    at_.emplace(std::begin(range_));
    end_.emplace(std::end(range_));
  }
  template <class Other>
  void find_place_of(Other& other) {
    if (!other.at_) return;
    taken_ = other.taken_;
    given_ = other.given_;
    back_ = other.back_;
    if constexpr (owns && is_forward) {
      at_.emplace(std::next(std::begin(range_), static_cast<std::ptrdiff_t>(taken_)));
      if constexpr (std::bidirectional_iterator<iterator> && std::same_as<iterator, sentinel>)
        end_.emplace(std::prev(std::end(range_), static_cast<std::ptrdiff_t>(back_)));
      else
        end_.emplace(std::end(range_));
    } else {
      static_assert(!owns || std::copyable<iterator>,
                    "a range that can be gone through once is piped as an lvalue");
      if constexpr (std::copyable<iterator>)
        at_.emplace(*other.at_);
      else
        at_.emplace(std::move(*other.at_));
      end_.emplace(*other.end_);
    }
  }

  R range_;
  std::optional<iterator> at_;
  std::optional<sentinel> end_;
  std::size_t taken_ = 0;  // from the front
  std::size_t given_ = 0;  // the same, with the questions for time
  std::size_t back_ = 0;
  bool asked_ = false;
};

}  // namespace astd::stream::detail

namespace astd::stream {

/// Has next(), whose awaitable gives a std::optional, an optional_ref, or whatever else is true if it has an element and
/// gives that by `*`. Behind an empty one next() is not called again by anything in astd.
template <class S>
concept stream = detail::piece<S> || detail::has_next<S>;

/// What can stand in front of `|`: a stream, or a range.
template <class S>
concept source = stream<S> || detail::is_range<S>;

}  // namespace astd::stream

namespace astd::stream::detail {

template <class S>
auto as_piece(S&& s) {
  static_assert(
      stream::source<S>,
      "astd::stream::source: what is piped is neither a stream (next() gives an awaitable of an optional) "
      "nor a range");
  if constexpr (piece<S>) {
    if constexpr (std::is_lvalue_reference_v<S>)
      return borrowed<std::remove_reference_t<S>>(s);
    else
      return std::remove_cvref_t<S>(std::move(s));
  } else if constexpr (has_next<S>) {
    return next_source<S>(static_cast<S&&>(s));
  } else if constexpr (is_range<S>) {
    return range_source<S>(static_cast<S&&>(s));
  }
}
template <class S>
using piece_of = decltype(detail::as_piece(std::declval<S>()));

}  // namespace astd::stream::detail
