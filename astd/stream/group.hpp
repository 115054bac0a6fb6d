// Elements together: zip, chunk, adjacent, peekable.
//
//   auto pairs = co_await (names | stream::zip(ages) | stream::to<std::map>());
#pragma once

#include <astd/stream/adaptor.hpp>
#include <astd/stream/transform.hpp>

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace astd::stream::detail {

template <class... S>
class zip_piece : public piece_base<zip_piece<S...>> {
  static constexpr auto all = std::index_sequence_for<S...>();

 public:
  using element = std::tuple<element_t<S>...>;
  static constexpr bool runs_ahead = (detail::runs_ahead<S> || ...);
  explicit zip_piece(S&&... s) : streams_(std::move(s)...) {}

  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    for (;;) {
      if (over_) return flow::end;
      const flow how = fill(error, all);
      if (how != flow::stopped) {
        over_ = how == flow::end;
        return how;
      }
      element x = take(all);
      if (!sink(std::move(x))) return flow::stopped;
    }
  }
  resumable* wait(const await_context& c) { return wait(c, all); }
  void abandon() noexcept { abandon(all); }
  [[nodiscard]] size_bounds bounds() const { return over_ ? size_bounds{0, 0} : bounds(all); }
  template <class F>
  void each_hub(F&& f)
    requires runs_ahead
  {
    std::apply(
        [&](auto&... s) {
          (
              [&] {
                if constexpr (detail::runs_ahead<decltype(s)>) s.each_hub(f);
              }(),
              ...);
        },
        streams_);
  }
  /// Behind the end: what was taken of the others when one had no more, as a std::tuple of what next() gives.
  [[nodiscard]] auto leftover() { return leftover(all); }

 private:
  template <std::size_t I>
  flow fill_one(outcome<void>& error) {
    auto& held = std::get<I>(held_);
    if (held) return flow::stopped;
    using given = std::tuple_element_t<I, std::tuple<element_t<S>...>>;
    waits_for_ = I;
    return std::get<I>(streams_).run(
        [&](given&& x) {
          held.emplace(static_cast<given&&>(x));
          return false;
        },
        error);
  }
  template <std::size_t... I>
  flow fill(outcome<void>& error, std::index_sequence<I...>) {
    // Of one that is known to be at its end the others need not know.
    if (((!std::get<I>(held_) && std::get<I>(streams_).bounds().most == 0) || ...)) return flow::end;
    flow how = flow::stopped;
    static_cast<void>((((how = fill_one<I>(error)) == flow::stopped) && ...));
    return how;
  }
  template <std::size_t... I>
  element take(std::index_sequence<I...>) {
    element x(std::get<I>(held_).get()...);
    (std::get<I>(held_).reset(), ...);
    return x;
  }
  template <std::size_t... I>
  auto leftover(std::index_sequence<I...>) {
    auto left = std::make_tuple(take_next(std::get<I>(held_))...);
    (std::get<I>(held_).reset(), ...);
    return left;
  }
  template <std::size_t... I>
  resumable* wait(const await_context& c, std::index_sequence<I...>) {
    resumable* r = nullptr;
    static_cast<void>(((I == waits_for_ && (r = std::get<I>(streams_).wait(c), true)) || ...));
    return r;
  }
  template <std::size_t... I>
  void abandon(std::index_sequence<I...>) noexcept {
    static_cast<void>(((I == waits_for_ && (std::get<I>(streams_).abandon(), true)) || ...));
  }
  template <std::size_t... I>
  size_bounds bounds(std::index_sequence<I...>) const {
    const auto with_held = [this]<std::size_t N>(std::integral_constant<std::size_t, N>) {
      const size_bounds one{1, 1};
      return std::get<N>(held_) ? grown(std::get<N>(streams_).bounds(), one) : std::get<N>(streams_).bounds();
    };
    const size_bounds each[] = {with_held(std::integral_constant<std::size_t, I>())...};
    size_bounds b = each[0];
    for (const size_bounds& e : each) b = {std::min(b.least, e.least), std::min(b.most, e.most)};
    return b;
  }

  std::tuple<S...> streams_;
  std::tuple<slot<element_t<S>>...> held_;
  std::size_t waits_for_ = 0;
  bool over_ = false;
};

template <class S>
class chunk_piece : public adaptor<chunk_piece<S>, S> {
  using given = element_t<S>;

 public:
  using element = std::vector<value_t<given>>;
  chunk_piece(S&& s, std::size_t n) : adaptor<chunk_piece, S>(std::move(s)), n_(n) {
    if (n == 0) throw_invalid_argument("astd::stream::chunk: a chunk has 1 element or more");
  }
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    const flow how = this->stream_.run(
        [&](given&& x) {
          if (held_.empty()) held_.reserve(std::min(n_, std::size_t(1024)));
          held_.push_back(static_cast<given&&>(x));
          return held_.size() < n_ || sink(std::exchange(held_, element()));
        },
        error);
    if (how != flow::end || held_.empty()) return how;
    return sink(std::exchange(held_, element())) ? flow::end : flow::stopped;
  }
  [[nodiscard]] size_bounds bounds() const {
    size_bounds b = grown(this->stream_.bounds(), {held_.size(), held_.size()});
    b.least = b.least / n_ + (b.least % n_ != 0);
    if (b.most != size_bounds::unknown) b.most = b.most / n_ + (b.most % n_ != 0);
    return b;
  }

 private:
  std::size_t n_;
  element held_;
};

template <class T, std::size_t>
using same = T;
template <class T, class Indices>
struct tuple_of_same;
template <class T, std::size_t... I>
struct tuple_of_same<T, std::index_sequence<I...>> {
  using type = std::tuple<same<T, I>...>;
};

template <class S, std::size_t N>
class adjacent_piece : public adaptor<adjacent_piece<S, N>, S> {
  static_assert(N > 0, "astd::stream::adjacent: one element or more");
  using given = element_t<S>;
  using T = value_t<given>;

 public:
  using element = typename tuple_of_same<T, std::make_index_sequence<N>>::type;
  using adaptor<adjacent_piece<S, N>, S>::adaptor;
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    return this->stream_.run(
        [&](given&& x) {
          if (last_.size() == N) last_.erase(last_.begin());
          last_.push_back(static_cast<given&&>(x));
          if (last_.size() < N) return true;
          return static_cast<bool>(sink(window(std::make_index_sequence<N>())));
        },
        error);
  }
  [[nodiscard]] size_bounds bounds() const {
    const std::size_t missing = N - 1 - std::min(last_.size(), N - 1);
    return shrunk(this->stream_.bounds(), missing);
  }

 private:
  template <std::size_t... I>
  element window(std::index_sequence<I...>) const {
    return element(last_[I]...);
  }
  std::vector<T> last_;
};

template <class S>
class peekable_piece : public adaptor<peekable_piece<S>, S> {
  class look;
  class seen;

 public:
  using element = element_t<S>;
  using adaptor<peekable_piece<S>, S>::adaptor;
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    if (held_) {
      slot<element> x = std::move(held_);
      held_.reset();
      if (!sink(x.get())) return flow::stopped;
    }
    return this->stream_.run(sink, error);
  }
  [[nodiscard]] size_bounds bounds() const {
    const std::size_t held = held_ ? 1 : 0;
    return grown(this->stream_.bounds(), {held, held});
  }

  /// Awaits the next element and gives an optional_ref to it; it stays where it is, for next() to take.
  [[nodiscard]] auto peek() { return stream_end<look, seen>(look(*this), seen(*this)); }

 private:
  class look : public piece_base<look> {
   public:
    using element = element_t<S>;
    explicit look(peekable_piece& of) noexcept : of_(&of) {}
    template <class Sink>
    flow run(Sink&& sink, outcome<void>& error) {
      return of_->held_ ? flow::stopped : of_->stream_.run(sink, error);
    }
    resumable* wait(const await_context& c) { return of_->stream_.wait(c); }
    void abandon() noexcept { of_->stream_.abandon(); }

   private:
    peekable_piece* of_;
  };
  class seen {
   public:
    using result_type = optional_ref<std::remove_reference_t<element>>;
    explicit seen(peekable_piece& of) noexcept : of_(&of) {}
    bool feed(element&& x) {
      of_->held_.emplace(static_cast<element&&>(x));
      return false;
    }
    result_type finish() noexcept {
      if (of_->held_) return *of_->held_;
      return {};
    }

   private:
    peekable_piece* of_;
  };
  slot<element> held_;
};

template <std::size_t N>
struct adjacent_adaptor : closure_tag {
  template <class S>
  auto apply(S&& s) const {
    return adjacent_piece<S, N>(std::move(s));
  }
  [[nodiscard]] adjacent_adaptor operator()() const { return {}; }
};

}  // namespace astd::stream::detail

namespace astd::stream {

/// std::tuple of an element of each, until one has no more: `zip(a, b, c)`, or `a | zip(b)`. What was taken of the others
/// by then is in leftover(); nothing is taken if one is known to be at its end.
template <source... S>
[[nodiscard]] auto zip(S&&... s) {
  if constexpr (sizeof...(S) > 1) {
    return detail::zip_piece<detail::piece_of<S>...>(detail::as_piece(static_cast<S&&>(s))...);
  } else {
    return detail::make_closure([... second = detail::as_piece(static_cast<S&&>(s))]<class P>(P&& p) mutable {
      return detail::zip_piece<std::remove_cvref_t<P>, detail::piece_of<S>...>(std::move(p), std::move(second)...);
    });
  }
}

/// std::vectors of n elements each; the last may have fewer. Throws std::invalid_argument if n is 0.
[[nodiscard]] inline auto chunk(std::size_t n) {
  return detail::make_closure([n]<class S>(S&& s) { return detail::chunk_piece<S>(std::move(s), n); });
}
/// std::tuple of copies of N elements that follow each other, for each element but the first N - 1: `adjacent<2>`, or
/// `adjacent<2>()`.
template <std::size_t N>
inline constexpr detail::adjacent_adaptor<N> adjacent{};
[[nodiscard]] inline auto pairwise() { return adjacent<2>(); }

/// The same stream, with peek().
[[nodiscard]] inline auto peekable() {
  return detail::make_closure([]<class S>(S&& s) { return detail::peekable_piece<S>(std::move(s)); });
}

}  // namespace astd::stream
