// What takes the elements at an end: is called with each, says whether it wants more, and has the result.
#pragma once

#include <astd/stream/adaptor.hpp>
#include <astd/stream/transform.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace astd::stream {

/// What minmax() gives.
template <class T>
struct min_max_result {
  T min;
  T max;
};

}  // namespace astd::stream

namespace astd::stream::detail {

struct ascending {
  template <class A, class B>
    requires requires(const A& a, const B& b) { static_cast<bool>(a < b); }
  bool operator()(const A& a, const B& b) const {
    return a < b;
  }
};

/// A predicate of a projection. Also what gives something to be awaited.
template <class P, class J>
struct composed {
  template <class X>
    requires callable_with<J, X> && callable_with<P, call_t<J, X>>
  decltype(auto) operator()(X&& x) {
    return detail::invoke(predicate, detail::invoke(projection, static_cast<X&&>(x)));
  }
  P predicate;
  [[no_unique_address]] J projection;
};
template <class T, class J>
struct equals_value {
  template <class X>
    requires callable_with<J, X&> && requires(const call_t<J, X&>& y, const T& v) { y == v; }
  bool operator()(X& x) {
    return detail::invoke(projection, x) == value;
  }
  T value;
  [[no_unique_address]] J projection;
};

template <class R, class F>
struct each_consumer {
  using result_type = void;
  bool feed(R&& x) {
    detail::invoke(f, static_cast<R&&>(x));
    return true;
  }
  void finish() noexcept {}
  F f;
};
template <class R, class T, class F>
struct fold_consumer {
  using result_type = T;
  bool feed(R&& x) {
    value = detail::invoke(f, std::move(value), static_cast<R&&>(x));
    return true;
  }
  T finish() { return std::move(value); }
  T value;
  F f;
};
template <class R, class F>
struct reduce_consumer {
  using result_type = std::optional<value_t<R>>;
  bool feed(R&& x) {
    if (value)
      value = detail::invoke(f, *std::move(value), static_cast<R&&>(x));
    else
      value.emplace(static_cast<R&&>(x));
    return true;
  }
  result_type finish() { return std::move(value); }
  F f;
  result_type value{};
};

/// std::expected and std::optional: true with a value, else what ends it.
template <class T>
concept result_like = requires(T& t) {
  typename T::value_type;
  { t.has_value() } -> std::same_as<bool>;
};

template <class R, class T, class F>
struct try_fold_consumer {
  using result_type = std::remove_cvref_t<call_t<F, T, R>>;
  static_assert(result_like<result_type>,
                "astd::stream::try_fold: the closure gives a std::expected or std::optional");
  bool feed(R&& x) {
    result = detail::invoke(f, *std::move(result), static_cast<R&&>(x));
    return result.has_value();
  }
  result_type finish() { return std::move(result); }
  try_fold_consumer(T&& value, F&& with) : result(std::move(value)), f(std::move(with)) {}
  result_type result;
  F f;
};
template <class R, class F>
struct try_each_consumer {
  using result_type = std::remove_cvref_t<call_t<F, R>>;
  static_assert(result_like<result_type>,
                "astd::stream::try_for_each: the closure gives a std::expected or std::optional");
  bool feed(R&& x) {
    auto r = detail::invoke(f, static_cast<R&&>(x));
    if (r.has_value()) return true;
    bad.emplace(std::move(r));
    return false;
  }
  result_type finish() {
    if (bad) return *std::move(bad);
    return good<result_type>();
  }
  template <class X>
  static X good() {
    if constexpr (std::is_void_v<typename X::value_type>)
      return X();
    else
      return X(std::in_place);
  }
  F f;
  std::optional<result_type> bad{};
};
/// Of answers that were awaited.
template <class R>
using try_answers_consumer = try_each_consumer<R, as_it_is>;

template <class R>
struct count_consumer {
  using result_type = std::size_t;
  bool feed(R&&) noexcept {
    ++n;
    return true;
  }
  std::size_t finish() const noexcept { return n; }
  std::size_t n = 0;
};
template <class R>
struct last_consumer {
  using result_type = next_t<R>;
  bool feed(R&& x) {
    last.reset();
    last.emplace(static_cast<R&&>(x));
    return true;
  }
  result_type finish() { return take_next(last); }
  slot<R> last{};
};
template <class R>
struct nth_consumer {
  using result_type = next_t<R>;
  bool feed(R&& x) {
    if (skip-- != 0) return true;
    found.emplace(static_cast<R&&>(x));
    return false;
  }
  result_type finish() { return take_next(found); }
  std::size_t skip;
  slot<R> found{};
};

/// Whether there is an element of which `j` says `wanted`.
template <class R, class J>
struct any_consumer {
  using result_type = bool;
  bool feed(R&& x) {
    if (static_cast<bool>(j.answer(x)) != wanted) return true;
    found = true;
    return false;
  }
  bool finish() const noexcept { return found == means; }
  J j;
  bool wanted;
  bool means;  // what to say if there is
  bool found = false;
};
template <class R, class J>
struct find_consumer {
  using element = typename J::template element<R>;
  using result_type = next_t<element>;
  bool feed(R&& x) {
    if (!j.answer(x)) return true;
    found.emplace(J::template pass<element>(static_cast<R&&>(x)));
    return false;
  }
  result_type finish() { return take_next(found); }
  J j;
  slot<element> found{};
};
template <class R, class J>
struct position_consumer {
  using result_type = std::optional<std::size_t>;
  bool feed(R&& x) {
    found = j.answer(x);
    if (!found) ++at;
    return !found;
  }
  result_type finish() const noexcept { return found ? result_type(at) : std::nullopt; }
  J j;
  std::size_t at = 0;
  bool found = false;
};

/// `better(new, old)` by their projections: the new one takes the place.
template <class R, class C, class J, bool greatest>
struct extreme_consumer {
  using result_type = std::optional<value_t<R>>;
  bool feed(R&& x) {
    if (!best || better(x)) {
      best.reset();
      best.emplace(static_cast<R&&>(x));
    }
    return true;
  }
  bool better(std::remove_reference_t<R>& x) {
    if constexpr (greatest)
      return detail::invoke(less, detail::invoke(projection, *best), detail::invoke(projection, x));
    else
      return detail::invoke(less, detail::invoke(projection, x), detail::invoke(projection, *best));
  }
  result_type finish() { return std::move(best); }
  C less;
  J projection;
  result_type best{};
};
template <class R, class C, class J>
struct minmax_consumer {
  using T = value_t<R>;
  using result_type = std::optional<stream::min_max_result<T>>;
  bool feed(R&& x) {
    if (!both) {
      both.emplace(stream::min_max_result<T>{T(std::as_const(x)), T(std::as_const(x))});
    } else if (detail::invoke(less, detail::invoke(projection, x), detail::invoke(projection, both->min))) {
      both->min = T(static_cast<R&&>(x));
    } else if (!detail::invoke(less, detail::invoke(projection, x), detail::invoke(projection, both->max))) {
      both->max = T(static_cast<R&&>(x));
    }
    return true;
  }
  result_type finish() { return std::move(both); }
  C less;
  J projection;
  result_type both{};
};

}  // namespace astd::stream::detail
