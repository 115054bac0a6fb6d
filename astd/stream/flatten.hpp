// Streams after each other: join (flatten), flat_map, concat (chain), cycle.
//
//   auto words = lines | stream::flat_map([](std::string line) { return split(line); });
#pragma once

#include <astd/stream/adaptor.hpp>
#include <astd/stream/transform.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace astd::stream::detail {

/// The elements of the elements, which are streams or ranges. One that has ended is destroyed, and not asked again.
template <class S>
class join_piece : public adaptor<join_piece<S>, S> {
  using given = element_t<S>;
  static_assert(source<given>, "astd::stream::join: the stream's elements are neither streams nor ranges (source)");
  using inner = piece_of<given>;

 public:
  using element = element_t<inner>;
  static constexpr bool runs_ahead = detail::runs_ahead<S> || detail::runs_ahead<inner>;
  using adaptor<join_piece<S>, S>::adaptor;
  template <class F>
  void each_hub(F&& f)
    requires runs_ahead
  {
    if constexpr (detail::runs_ahead<S>) this->stream_.each_hub(f);
    if constexpr (detail::runs_ahead<inner>)
      if (inner_) inner_->each_hub(f);
  }
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    for (;;) {
      if (inner_) {
        const flow how = inner_->run(sink, error);
        if (how != flow::end) return how;
        inner_.reset();
      }
      const flow how = this->stream_.run(
          [&](given&& x) {
            inner_.emplace(detail::as_piece(static_cast<given&&>(x)));
            return false;
          },
          error);
      if (how != flow::stopped) return how;
    }
  }
  void arrival() = delete;  // of the inner ones nothing is known
  resumable* wait(const await_context& c) { return inner_ ? inner_->wait(c) : this->stream_.wait(c); }
  void abandon() noexcept {
    if (inner_)
      inner_->abandon();
    else
      this->stream_.abandon();
  }
  [[nodiscard]] size_bounds bounds() const {
    const size_bounds left = inner_ ? inner_->bounds() : size_bounds{0, 0};
    return this->stream_.bounds().most == 0 ? left : size_bounds{left.least, size_bounds::unknown};
  }

 private:
  std::optional<inner> inner_;
};

/// Either an element of A's, or of B's, where they differ: what both convert to.
template <class A, class B>
struct common_element {
  using type = std::common_type_t<value_t<A>, value_t<B>>;
};
template <class A>
struct common_element<A, A> {
  using type = A;
};

/// An `X` as an `R`.
template <class R, class X>
decltype(auto) as_common(std::remove_reference_t<X>& x) {
  if constexpr (std::is_same_v<R, X>)
    return static_cast<R&&>(x);
  else
    return R(static_cast<X&&>(x));
}

template <class A, class B>
class concat_piece : public piece_base<concat_piece<A, B>> {
 public:
  using element = typename common_element<element_t<A>, element_t<B>>::type;
  static constexpr bool runs_ahead = detail::runs_ahead<A> || detail::runs_ahead<B>;
  concat_piece(A&& first, B&& second) : first_(std::move(first)), second_(std::move(second)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    if (!first_over_) {
      const flow how =
          first_.run([&](element_t<A>&& x) { return sink(detail::as_common<element, element_t<A>>(x)); }, error);
      if (how != flow::end) return how;
      first_over_ = true;
    }
    return second_.run([&](element_t<B>&& x) { return sink(detail::as_common<element, element_t<B>>(x)); }, error);
  }
  resumable* wait(const await_context& c) { return first_over_ ? second_.wait(c) : first_.wait(c); }
  void abandon() noexcept { first_over_ ? second_.abandon() : first_.abandon(); }
  [[nodiscard]] size_bounds bounds() const {
    return first_over_ ? second_.bounds() : grown(first_.bounds(), second_.bounds());
  }
  template <class F>
  void each_hub(F&& f)
    requires runs_ahead
  {
    if constexpr (detail::runs_ahead<A>) first_.each_hub(f);
    if constexpr (detail::runs_ahead<B>) second_.each_hub(f);
  }

 private:
  A first_;
  B second_;
  bool first_over_ = false;
};

template <class A, class B>
auto concatenated(A&& a, B&& b) {
  return concat_piece<A, B>(std::move(a), std::move(b));
}
template <class A, class B, class C, class... D>
auto concatenated(A&& a, B&& b, C&& c, D&&... d) {
  return detail::concatenated(detail::concatenated(std::move(a), std::move(b)), std::move(c), std::move(d)...);
}

template <class S>
class cycle_piece : public piece_base<cycle_piece<S>> {
  static_assert(
      std::copy_constructible<S>,
      "astd::stream::cycle: the stream cannot be copied, so it cannot begin again (std::copy_constructible)");

 public:
  using element = element_t<S>;
  explicit cycle_piece(S&& s) : first_(std::move(s)), now_(std::in_place, std::as_const(first_)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    for (;;) {
      if (over_) return flow::end;
      const flow how = now_->run(
          [&](element&& x) {
            any_ = true;
            return sink(static_cast<element&&>(x));
          },
          error);
      if (how != flow::end) return how;
      if (!std::exchange(any_, false))
        over_ = true;
      else
        now_.emplace(std::as_const(first_));
      if (ration_.is_out()) return flow::yield;  // the stream may be too short to ask
    }
  }
  resumable* wait(const await_context& c) { return now_->wait(c); }
  void abandon() noexcept { now_->abandon(); }
  [[nodiscard]] size_bounds bounds() const {
    const size_bounds b = first_.bounds();
    return over_ || b.most == 0 ? size_bounds{0, 0} : size_bounds{};
  }

 private:
  S first_;
  std::optional<S> now_;
  ration ration_;
  bool any_ = false;
  bool over_ = false;
};

}  // namespace astd::stream::detail

namespace astd::stream {

/// The elements of elements that are streams or ranges, one stream after the other.
[[nodiscard]] inline auto join() {
  return detail::make_closure([]<class S>(S&& s) { return detail::join_piece<S>(std::move(s)); });
}
[[nodiscard]] inline auto flatten() { return join(); }
/// The elements of the streams or ranges that f(element) gives.
template <class F>
[[nodiscard]] auto flat_map(F f) {
  return transform(std::move(f)) | join();
}

/// All of the first, then all of the next, ...: `concat(a, b)`, or `a | concat(b)`. If their elements differ, they become
/// their common type.
template <source... S>
[[nodiscard]] auto concat(S&&... s) {
  if constexpr (sizeof...(S) > 1) {
    return detail::concatenated(detail::as_piece(static_cast<S&&>(s))...);
  } else {
    return detail::make_closure([... second = detail::as_piece(static_cast<S&&>(s))]<class P>(P&& p) mutable {
      return detail::concatenated(std::move(p), std::move(second)...);
    });
  }
}
template <source... S>
[[nodiscard]] auto chain(S&&... s) {
  return concat(static_cast<S&&>(s)...);
}

/// Again and again, from a copy of the stream as it was; an empty one ends.
[[nodiscard]] inline auto cycle() {
  return detail::make_closure([]<class S>(S&& s) { return detail::cycle_piece<S>(std::move(s)); });
}

}  // namespace astd::stream
