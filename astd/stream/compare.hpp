// Ends that compare two streams: equal, lexicographical_compare, lexicographical_compare_three_way.
//
//   bool same = co_await (a | stream::equal(b));
//
// Each takes elements of both until it knows the answer. A shorter stream is less than a longer one that begins with it,
// and not equal to it.
#pragma once

#include <astd/stream/adaptor.hpp>
#include <astd/stream/ends.hpp>

#include <compare>
#include <type_traits>
#include <utility>

namespace astd::stream::detail {

/// One element of each, or none of one that has ended.
template <class A, class B>
struct pair_of {
  explicit pair_of(slot<A>&& a, slot<B>&& b) : first(std::move(a)), second(std::move(b)) {}
  slot<A> first;
  slot<B> second;
};

template <class A, class B>
class paired_piece : public piece_base<paired_piece<A, B>> {
  using first_type = element_t<A>;
  using second_type = element_t<B>;

 public:
  using element = pair_of<first_type, second_type>;
  static constexpr bool runs_ahead = detail::runs_ahead<A> || detail::runs_ahead<B>;
  paired_piece(A&& a, B&& b) : first_(std::move(a)), second_(std::move(b)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    for (;;) {
      if (first_over_ && second_over_) return flow::end;
      if (!held_first_ && !first_over_) {
        in_second_ = false;
        const flow how = first_.run(
            [this](first_type&& x) {
              held_first_.emplace(static_cast<first_type&&>(x));
              return false;
            },
            error);
        if (how == flow::end)
          first_over_ = true;
        else if (how != flow::stopped)
          return how;
      }
      if (!second_over_) {
        in_second_ = true;
        const flow how = second_.run(
            [this](second_type&& x) {
              held_second_.emplace(static_cast<second_type&&>(x));
              return false;
            },
            error);
        if (how == flow::end)
          second_over_ = true;
        else if (how != flow::stopped)
          return how;
      }
      if (first_over_ && second_over_) return flow::end;
      element both(std::move(held_first_), std::move(held_second_));
      held_first_.reset();
      held_second_.reset();
      if (!sink(std::move(both))) return flow::stopped;
    }
  }
  resumable* wait(const await_context& c) { return in_second_ ? second_.wait(c) : first_.wait(c); }
  void abandon() noexcept { in_second_ ? second_.abandon() : first_.abandon(); }
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
  slot<first_type> held_first_;
  slot<second_type> held_second_;
  bool in_second_ = false;
  bool first_over_ = false;
  bool second_over_ = false;
};

/// What a comparison is called with.
template <class Pair>
using first_of = decltype(*std::declval<Pair&>().first);
template <class Pair>
using second_of = decltype(*std::declval<Pair&>().second);

template <class R, class P>
struct equal_consumer {
  using result_type = bool;
  bool feed(R&& x) {
    same = x.first && x.second && detail::invoke(equal, *x.first, *x.second);
    return same;
  }
  bool finish() const noexcept { return same; }
  P equal;
  bool same = true;
};
template <class R, class P>
struct less_consumer {
  using result_type = bool;
  bool feed(R&& x) {
    if (!x.first || !x.second) {
      less = !x.first;
      return false;
    }
    less = detail::invoke(comes_before, *x.first, *x.second);
    return !less && !detail::invoke(comes_before, *x.second, *x.first);
  }
  bool finish() const noexcept { return less; }
  P comes_before;
  bool less = false;
};
struct three_way {
  template <class A, class B>
  auto operator()(const A& a, const B& b) const {
    return a <=> b;
  }
};
template <class R, class P>
struct order_consumer {
  using result_type = std::remove_cvref_t<call_t<P, first_of<R>, second_of<R>>>;
  bool feed(R&& x) {
    if (!x.first || !x.second)
      order = x.second ? std::strong_ordering::less : std::strong_ordering::greater;
    else
      order = detail::invoke(compare, *x.first, *x.second);
    return order == 0;
  }
  result_type finish() const noexcept { return order; }
  P compare;
  result_type order = std::strong_ordering::equal;
};

// The same by coroutines.
struct equal_awaited {
  template <class Both, class P>
  static task<bool> of(Both both, P equal) {
    while (auto x = co_await both.next())
      if (!x->first || !x->second || !co_await detail::invoke(equal, *x->first, *x->second)) co_return false;
    co_return true;
  }
};
struct less_awaited {
  template <class Both, class P>
  static task<bool> of(Both both, P comes_before) {
    while (auto x = co_await both.next()) {
      if (!x->first || !x->second) co_return !x->first;
      if (co_await detail::invoke(comes_before, *x->first, *x->second)) co_return true;
      if (co_await detail::invoke(comes_before, *x->second, *x->first)) co_return false;
    }
    co_return false;
  }
};
struct order_awaited {
  template <class Both, class P>
  static task<std::remove_cvref_t<answer_t<P, first_of<element_t<Both>>, second_of<element_t<Both>>>>> of(
      Both both, P compare) {
    while (auto x = co_await both.next()) {
      if (!x->first || !x->second) co_return x->second ? std::strong_ordering::less : std::strong_ordering::greater;
      const auto order = co_await detail::invoke(compare, *x->first, *x->second);
      if (order != 0) co_return order;
    }
    co_return std::strong_ordering::equal;
  }
};

template <template <class...> class E, class Awaited, class B, class P>
auto comparison(B&& other, P&& p) {
  return make_closure(
      [other = detail::as_piece(static_cast<B&&>(other)), p = std::move(p)]<class S>(S&& s) mutable {
        using both = paired_piece<S, std::remove_cvref_t<decltype(other)>>;
        if constexpr (awaits_with<P, first_of<element_t<both>>, second_of<element_t<both>>>)
          return in_a_task(both(std::move(s), std::move(other)), [p = std::move(p)]<class Q>(Q&& q) mutable {
            return Awaited::template of<std::remove_reference_t<Q>, P>(std::move(q), std::move(p));
          });
        else
          return end_with(both(std::move(s), std::move(other)), E<element_t<both>, P>{std::move(p)});
      });
}

}  // namespace astd::stream::detail

namespace astd::stream {

/// Whether both have equally many elements, and those are equal.
template <source B, class P = detail::equals>
[[nodiscard]] auto equal(B&& other, P p = {}) {
  return detail::comparison<detail::equal_consumer, detail::equal_awaited>(static_cast<B&&>(other), std::move(p));
}
/// Whether the stream comes before `other`.
template <source B, class P = detail::ascending>
[[nodiscard]] auto lexicographical_compare(B&& other, P less = {}) {
  return detail::comparison<detail::less_consumer, detail::less_awaited>(static_cast<B&&>(other), std::move(less));
}
/// How they are ordered: by `<=>`, or what else gives a comparison category.
template <source B, class P = detail::three_way>
[[nodiscard]] auto lexicographical_compare_three_way(B&& other, P compare = {}) {
  return detail::comparison<detail::order_consumer, detail::order_awaited>(static_cast<B&&>(other),
                                                                           std::move(compare));
}

}  // namespace astd::stream
