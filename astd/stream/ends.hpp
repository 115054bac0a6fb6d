// Ends: what is awaited of a stream. Named as the std::ranges algorithms, with their order of arguments and projections.
//
//   auto oldest = co_await (people | stream::max({}, &person::age));        // std::optional<person>
//   auto any = co_await (urls | stream::any_of([](auto& u) { return is_up(u); }));   // a coroutine
//
// An end takes no more elements than it needs. A stream that was piped as an lvalue can be used on behind it.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/stream/adaptor.hpp>
#include <astd/stream/consumers.hpp>
#include <astd/stream/filter.hpp>
#include <astd/stream/transform.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace astd::stream::detail {

template <class R, class C, class J>
concept comparable_with =
    callable_with<J, std::remove_reference_t<R>&> &&
    callable_with<C, call_t<J, std::remove_reference_t<R>&>, call_t<J, std::remove_reference_t<R>&>>;

struct adds {
  template <class A, class B>
    requires requires(A&& a, B&& b) { std::forward<A>(a) + std::forward<B>(b); }
  auto operator()(A&& a, B&& b) const {
    return std::forward<A>(a) + std::forward<B>(b);
  }
};
struct multiplies {
  template <class A, class B>
    requires requires(A&& a, B&& b) { std::forward<A>(a) * std::forward<B>(b); }
  auto operator()(A&& a, B&& b) const {
    return std::forward<A>(a) * std::forward<B>(b);
  }
};

// Folds with coroutines: each answer is needed for the next call.
template <class S, class T, class F>
task<T> fold_awaited(S s, T value, F f) {
  for (;;) {
    auto x = co_await s.next();
    if (!x) break;
    T following = co_await detail::invoke(f, std::move(value), static_cast<element_t<S>&&>(*x));
    value = std::move(following);
  }
  co_return value;
}
template <class S, class T, class F, class Result>
task<Result> try_fold_awaited(S s, T first, F f) {
  Result value(std::move(first));
  for (;;) {
    auto x = co_await s.next();
    if (!x) break;
    Result following = co_await detail::invoke(f, *std::move(value), static_cast<element_t<S>&&>(*x));
    value = std::move(following);
    if (!value.has_value()) break;
  }
  co_return value;
}
template <class S, class F>
task<std::optional<value_t<element_t<S>>>> reduce_awaited(S s, F f) {
  using T = value_t<element_t<S>>;
  std::optional<T> value;
  for (;;) {
    auto x = co_await s.next();
    if (!x) break;
    if (!value) {
      value.emplace(static_cast<element_t<S>&&>(*x));
      continue;
    }
    T following = co_await detail::invoke(f, *std::move(value), static_cast<element_t<S>&&>(*x));
    value.emplace(std::move(following));
  }
  co_return value;
}
/// The task that make(stream&) gives, and the stream it needs.
template <class S, class Make>
auto in_a_task(S&& s, Make make) {
  if constexpr (runs_ahead<S>)
    return stop_behind(std::move(s), std::move(make));
  else
    return make(std::move(s));
}

/// The end E<element, judge, A...> of a predicate.
template <template <class...> class E, class S, class F, class... A>
auto judged_end(S&& s, F&& f, A... a) {
  if constexpr (is_awaited<S, F>) {
    using asked = awaiting_piece<S, F, false>;
    using end = E<element_t<asked>, by_answer>;
    return end_with(asked(std::move(s), std::move(f)), end{by_answer(), a...});
  } else {
    using end = E<element_t<S>, by_call<F>>;
    return end_with(std::move(s), end{by_call<F>{std::move(f)}, a...});
  }
}

template <class P, class J>
auto compose(P&& p, J&& j) {
  if constexpr (std::is_same_v<J, as_it_is>)
    return std::move(p);
  else
    return composed<P, J>{std::move(p), std::move(j)};
}

}  // namespace astd::stream::detail

namespace astd::stream {

/// f(element) for each, one after the other; f(projection(element)), if there is a projection.
template <class Function, class J = detail::as_it_is>
[[nodiscard]] auto for_each(Function function, J projection = {}) {
  return detail::make_closure(
      [f = detail::compose(std::move(function), std::move(projection))]<class S>(S&& s) mutable {
        using R = detail::element_t<S>;
        using F = decltype(f);
        static_assert(detail::callable_with<F, R>,
                      "astd::stream::for_each: the closure cannot be called with an element of the stream "
                      "(std::invocable)");
        if constexpr (detail::awaits_with<F, R>) {
          using asked = detail::awaiting_piece<S, F, true>;
          return detail::end_with(asked(std::move(s), std::move(f)),
                                  detail::nothing_consumer<detail::element_t<asked>>());
        } else {
          return detail::end_with(std::move(s), detail::each_consumer<R, F>{std::move(f)});
        }
      });
}

/// The T that is left of `value = f(std::move(value), element)`.
template <class T, class F>
[[nodiscard]] auto fold(T value, F f) {
  return detail::make_closure([value = std::move(value), f = std::move(f)]<class S>(S&& s) mutable {
    using R = detail::element_t<S>;
    static_assert(detail::callable_with<F, T, R>,
                  "astd::stream::fold: the closure cannot be called with the value and an element of the stream "
                  "(std::invocable)");
    if constexpr (detail::awaits_with<F, T, R>)
      return detail::in_a_task(std::move(s), [value = std::move(value), f = std::move(f)]<class Q>(Q&& q) mutable {
        return detail::fold_awaited<std::remove_reference_t<Q>, T, F>(std::move(q), std::move(value), std::move(f));
      });
    else
      return detail::end_with(std::move(s), detail::fold_consumer<R, T, F>{std::move(value), std::move(f)});
  });
}

/// As fold, begun with the first element; nothing if there is none.
template <class F>
[[nodiscard]] auto reduce(F f) {
  return detail::make_closure([f = std::move(f)]<class S>(S&& s) mutable {
    using R = detail::element_t<S>;
    static_assert(detail::callable_with<F, detail::value_t<R>, R>,
                  "astd::stream::reduce: the closure cannot be called with two elements of the stream "
                  "(std::invocable)");
    if constexpr (detail::awaits_with<F, detail::value_t<R>, R>)
      return detail::in_a_task(std::move(s), [f = std::move(f)]<class Q>(Q&& q) mutable {
        return detail::reduce_awaited<std::remove_reference_t<Q>, F>(std::move(q), std::move(f));
      });
    else
      return detail::end_with(std::move(s), detail::reduce_consumer<R, F>{std::move(f)});
  });
}

/// As fold, with an f that gives a std::expected<T, E> or std::optional<T>: the first without a value is the result, and
/// no element more is taken.
template <class T, class F>
[[nodiscard]] auto try_fold(T value, F f) {
  return detail::make_closure([value = std::move(value), f = std::move(f)]<class S>(S&& s) mutable {
    using R = detail::element_t<S>;
    static_assert(
        detail::callable_with<F, T, R>,
        "astd::stream::try_fold: the closure cannot be called with the value and an element of the stream "
        "(std::invocable)");
    if constexpr (detail::awaits_with<F, T, R>)
      return detail::in_a_task(std::move(s), [value = std::move(value), f = std::move(f)]<class Q>(Q&& q) mutable {
        using result = std::remove_cvref_t<detail::answer_t<F, T, R>>;
        return detail::try_fold_awaited<std::remove_reference_t<Q>, T, F, result>(std::move(q), std::move(value),
                                                                                  std::move(f));
      });
    else
      return detail::end_with(std::move(s), detail::try_fold_consumer<R, T, F>(std::move(value), std::move(f)));
  });
}

/// As for_each, with an f that gives a std::expected<void, E> (or an optional): the first without a value is the result.
template <class F>
[[nodiscard]] auto try_for_each(F f) {
  return detail::make_closure([f = std::move(f)]<class S>(S&& s) mutable {
    using R = detail::element_t<S>;
    static_assert(detail::callable_with<F, R>,
                  "astd::stream::try_for_each: the closure cannot be called with an element of the stream "
                  "(std::invocable)");
    if constexpr (detail::awaits_with<F, R>) {
      using asked = detail::awaiting_piece<S, F, true>;
      using end = detail::try_answers_consumer<detail::element_t<asked>>;
      return detail::end_with(asked(std::move(s), std::move(f)), end{detail::as_it_is()});
    } else {
      return detail::end_with(std::move(s), detail::try_each_consumer<R, F>{std::move(f)});
    }
  });
}

/// How many elements there are.
[[nodiscard]] inline auto count() {
  return detail::make_closure([]<class S>(S&& s) {
    return detail::end_with(std::move(s), detail::count_consumer<detail::element_t<S>>());
  });
}
/// How many elements there are of which `p` says true.
template <class P, class J = detail::as_it_is>
[[nodiscard]] auto count_if(P p, J projection = {}) {
  return detail::make_closure([f = detail::compose(std::move(p), std::move(projection))]<class S>(S&& s) mutable {
    using F = decltype(f);
    ASTD_STREAM_CLOSURE_MUST_FIT("count_if", F, S);
    return (filter(std::move(f)) | count()).apply(std::move(s));
  });
}
/// How many elements are equal to `value`.
template <class T, class J = detail::as_it_is>
[[nodiscard]] auto count(T value, J projection = {}) {
  return count_if(detail::equals_value<T, J>{std::move(value), std::move(projection)});
}
/// The last element, if there is one.
[[nodiscard]] inline auto last() {
  return detail::make_closure(
      []<class S>(S&& s) { return detail::end_with(std::move(s), detail::last_consumer<detail::element_t<S>>()); });
}
/// The element behind the first n.
[[nodiscard]] inline auto nth(std::size_t n) {
  return detail::make_closure([n]<class S>(S&& s) {
    return detail::end_with(std::move(s), detail::nth_consumer<detail::element_t<S>>{n});
  });
}

/// Whether `p` says true of every element. The first of which it does not is the last that is taken.
template <class P, class J = detail::as_it_is>
[[nodiscard]] auto all_of(P p, J projection = {}) {
  return detail::make_closure([f = detail::compose(std::move(p), std::move(projection))]<class S>(S&& s) mutable {
    using F = decltype(f);
    ASTD_STREAM_CLOSURE_MUST_FIT("all_of", F, S);
    return detail::judged_end<detail::any_consumer>(std::move(s), std::move(f), false, false);
  });
}
template <class P, class J = detail::as_it_is>
[[nodiscard]] auto any_of(P p, J projection = {}) {
  return detail::make_closure([f = detail::compose(std::move(p), std::move(projection))]<class S>(S&& s) mutable {
    using F = decltype(f);
    ASTD_STREAM_CLOSURE_MUST_FIT("any_of", F, S);
    return detail::judged_end<detail::any_consumer>(std::move(s), std::move(f), true, true);
  });
}
template <class P, class J = detail::as_it_is>
[[nodiscard]] auto none_of(P p, J projection = {}) {
  return detail::make_closure([f = detail::compose(std::move(p), std::move(projection))]<class S>(S&& s) mutable {
    using F = decltype(f);
    ASTD_STREAM_CLOSURE_MUST_FIT("none_of", F, S);
    return detail::judged_end<detail::any_consumer>(std::move(s), std::move(f), true, false);
  });
}
template <class T, class J = detail::as_it_is>
[[nodiscard]] auto contains(T value, J projection = {}) {
  return any_of(detail::equals_value<T, J>{std::move(value), std::move(projection)});
}
/// The first element of which `p` says true.
template <class P, class J = detail::as_it_is>
[[nodiscard]] auto find_if(P p, J projection = {}) {
  return detail::make_closure([f = detail::compose(std::move(p), std::move(projection))]<class S>(S&& s) mutable {
    using F = decltype(f);
    ASTD_STREAM_CLOSURE_MUST_FIT("find_if", F, S);
    return detail::judged_end<detail::find_consumer>(std::move(s), std::move(f));
  });
}
template <class T, class J = detail::as_it_is>
[[nodiscard]] auto find(T value, J projection = {}) {
  return find_if(detail::equals_value<T, J>{std::move(value), std::move(projection)});
}
/// What is in the first optional that f(element) gives with something in it.
template <class F>
[[nodiscard]] auto find_map(F f) {
  return filter_map(std::move(f)) | nth(0);
}
/// The place, from 0, of the first element of which `p` says true.
template <class P, class J = detail::as_it_is>
[[nodiscard]] auto position(P p, J projection = {}) {
  return detail::make_closure([f = detail::compose(std::move(p), std::move(projection))]<class S>(S&& s) mutable {
    using F = decltype(f);
    ASTD_STREAM_CLOSURE_MUST_FIT("position", F, S);
    return detail::judged_end<detail::position_consumer>(std::move(s), std::move(f));
  });
}

/// The smallest, the first of equal ones; nothing of an empty stream. Compares by `less(projection(a), projection(b))`.
template <class C = detail::ascending, class J = detail::as_it_is>
[[nodiscard]] auto min(C less = {}, J projection = {}) {
  return detail::make_closure([less = std::move(less), j = std::move(projection)]<class S>(S&& s) mutable {
    static_assert(
        detail::comparable_with<detail::element_t<S>, C, J>,
        "astd::stream::min: the stream's elements, or what the projection gives of them, cannot be compared");
    using end = detail::extreme_consumer<detail::element_t<S>, C, J, false>;
    return detail::end_with(std::move(s), end{std::move(less), std::move(j)});
  });
}
/// The greatest, the first of equal ones, as std::ranges::max.
template <class C = detail::ascending, class J = detail::as_it_is>
[[nodiscard]] auto max(C less = {}, J projection = {}) {
  return detail::make_closure([less = std::move(less), j = std::move(projection)]<class S>(S&& s) mutable {
    static_assert(
        detail::comparable_with<detail::element_t<S>, C, J>,
        "astd::stream::max: the stream's elements, or what the projection gives of them, cannot be compared");
    using end = detail::extreme_consumer<detail::element_t<S>, C, J, true>;
    return detail::end_with(std::move(s), end{std::move(less), std::move(j)});
  });
}
/// Both: the first of the smallest and the last of the greatest, as std::ranges::minmax. Elements are copied.
template <class C = detail::ascending, class J = detail::as_it_is>
[[nodiscard]] auto minmax(C less = {}, J projection = {}) {
  return detail::make_closure([less = std::move(less), j = std::move(projection)]<class S>(S&& s) mutable {
    static_assert(
        detail::comparable_with<detail::element_t<S>, C, J>,
        "astd::stream::minmax: the stream's elements, or what the projection gives of them, cannot be compared");
    using end = detail::minmax_consumer<detail::element_t<S>, C, J>;
    return detail::end_with(std::move(s), end{std::move(less), std::move(j)});
  });
}

/// The sum of the elements and T(): T is what they are, if it is not given.
template <class T = void>
[[nodiscard]] auto sum() {
  return detail::make_closure([]<class S>(S&& s) {
    using R = detail::element_t<S>;
    using value = std::conditional_t<std::is_void_v<T>, detail::value_t<R>, T>;
    static_assert(detail::callable_with<detail::adds, value, R>,
                  "astd::stream::sum: there is no operator for the elements");
    return detail::end_with(std::move(s), detail::fold_consumer<R, value, detail::adds>{value(), {}});
  });
}
/// The product of the elements and T(1).
template <class T = void>
[[nodiscard]] auto product() {
  return detail::make_closure([]<class S>(S&& s) {
    using R = detail::element_t<S>;
    using value = std::conditional_t<std::is_void_v<T>, detail::value_t<R>, T>;
    static_assert(detail::callable_with<detail::multiplies, value, R>,
                  "astd::stream::product: there is no operator for the elements");
    return detail::end_with(std::move(s), detail::fold_consumer<R, value, detail::multiplies>{value(1), {}});
  });
}

}  // namespace astd::stream
