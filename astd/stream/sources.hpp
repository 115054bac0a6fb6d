// Where streams begin: from, once, empty, repeat, repeat_with, from_fn, successors, pending, interval.
//
//   auto powers = stream::successors(1, [](int x) { return x < 1000 ? std::optional(x * 2) : std::nullopt; });
#pragma once

#include <astd/coro/ready.hpp>
#include <astd/stream/adaptor.hpp>
#include <astd/stream/transform.hpp>
#include <astd/time/interval.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace astd::stream::detail {

template <class T>
class empty_source : public piece_base<empty_source<T>> {
 public:
  using element = T;
  template <class Sink>
  flow run(Sink&&, outcome<void>&) noexcept {
    return flow::end;
  }
  template <class Sink>
  flow run_back(Sink&&, outcome<void>&) noexcept {
    return flow::end;
  }
  [[nodiscard]] size_bounds bounds() const noexcept { return {0, 0}; }
};

template <class T>
class once_source : public piece_base<once_source<T>> {
 public:
  using element = T;
  template <class V>
  explicit once_source(std::in_place_t, V&& v) : value_(std::forward<V>(v)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>&) {
    if (!value_) return flow::end;
    T value(*std::move(value_));
    value_.reset();
    return sink(std::move(value)) ? flow::end : flow::stopped;
  }
  template <class Sink>
  flow run_back(Sink&& sink, outcome<void>& error) {
    return run(sink, error);
  }
  [[nodiscard]] size_bounds bounds() const noexcept { return {value_ ? 1u : 0u, value_ ? 1u : 0u}; }

 private:
  std::optional<T> value_;
};

/// For sources without an end: calls give() for each element.
template <class F>
class endless_source : public piece_base<endless_source<F>> {
 public:
  using element = as_element<call_t<F>>;
  explicit endless_source(F&& f) : f_(std::move(f)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>&) {
    do {
      if (ration_.is_out()) return flow::yield;
    } while (sink(static_cast<element&&>(detail::invoke(f_))));
    return flow::stopped;
  }
  [[nodiscard]] size_bounds bounds() const noexcept { return {size_bounds::unknown, size_bounds::unknown}; }

 private:
  F f_;
  ration ration_;
};

template <class T>
struct copies {
  T operator()() const { return value; }
  T value;
};

/// The closure takes the place of next(), for those that give what can be awaited.
template <class F>
class called {
 public:
  explicit called(F&& f) : f_(std::move(f)) {}
  decltype(auto) next() { return detail::invoke(f_); }

 private:
  F f_;
};

template <class F>
class from_fn_source : public piece_base<from_fn_source<F>> {
  using answer = call_t<F>;
  static_assert(optional_like<std::remove_reference_t<answer>>,
                "astd::stream::from_fn: the closure gives an optional, or an awaitable of one");

 public:
  using element = as_element<decltype(*std::declval<std::remove_reference_t<answer>>())>;
  explicit from_fn_source(F&& f) : f_(std::move(f)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>&) {
    for (;;) {
      if (over_) return flow::end;
      if (ration_.is_out()) return flow::yield;
      auto&& o = detail::invoke(f_);
      if (!o) {
        over_ = true;
        return flow::end;
      }
      if (!sink(static_cast<element&&>(*std::move(o)))) return flow::stopped;
    }
  }
  [[nodiscard]] size_bounds bounds() const noexcept { return over_ ? size_bounds{0, 0} : size_bounds{}; }

 private:
  F f_;
  ration ration_;
  bool over_ = false;
};

/// The element before is kept, and the next made of it when it is asked for.
template <class T, class F>
struct succeeding {
  using answer = call_t<F, const T&>;
  std::optional<T> operator()() {
    if (!last) return std::nullopt;
    if (!std::exchange(began, true)) return *last;
    if constexpr (std::convertible_to<answer, std::optional<T>>)
      last = detail::invoke(f, std::as_const(*last));
    else
      last.emplace(detail::invoke(f, std::as_const(*last)));
    return last;
  }
  std::optional<T> last;
  F f;
  bool began = false;
};

template <class T, class F>
class awaited_successors {
 public:
  awaited_successors(T&& first, F&& f) : last_(std::move(first)), f_(std::move(f)) {}
  task<std::optional<T>> next() {
    if (!last_) co_return std::nullopt;
    if (!std::exchange(began_, true)) co_return *last_;
    std::optional<T> following = co_await detail::invoke(f_, std::as_const(*last_));
    last_ = std::move(following);
    co_return last_;
  }

 private:
  std::optional<T> last_;
  F f_;
  bool began_ = false;
};

template <class T>
class never_source {
 public:
  auto next() noexcept { return pending<std::optional<T>>(); }
};

template <class S>
class rev_piece : public piece_base<rev_piece<S>> {
 public:
  using element = element_t<S>;
  explicit rev_piece(S&& s) : stream_(static_cast<S&&>(s)) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    return stream_.run_back(sink, error);
  }
  template <class Sink>
  flow run_back(Sink&& sink, outcome<void>& error) {
    return stream_.run(sink, error);
  }
  [[nodiscard]] size_bounds bounds() const { return stream_.bounds(); }

 private:
  S stream_;
};

template <class S>
concept double_ended = piece<S> && requires(std::remove_cvref_t<S>& s, bool (*sink)(element_t<S>&&),
                                            outcome<void>& e) { s.run_back(sink, e); };

template <class S>
class backwards {
 public:
  explicit backwards(S&& s) : stream_(static_cast<S&&>(s)) {}
  decltype(auto) next() { return stream_.next_back(); }

 private:
  S stream_;
};

template <class Derived>
auto piece_base<Derived>::next_back() {
  static_assert(double_ended<Derived>,
                "astd::stream::double_ended: this stream has no other end; those of ranges that go both ways have, "
                "and transform, filter and inspect keep it");
  using turned = rev_piece<Derived&>;
  return stream_end<turned, first_element<element_t<Derived>>>(turned(static_cast<Derived&>(*this)), {});
}

}  // namespace astd::stream::detail

namespace astd::stream {

/// A stream with next_back(): see rev().
template <class S>
concept double_ended = detail::double_ended<S> || (detail::has_next<S> && requires(std::remove_reference_t<S>& s) {
                         { s.next_back() } -> awaitable;
                       });

/// The elements of a range, or a stream, as one of astd's own streams. An lvalue is referred to: its elements are
/// references, and it outlives the stream. An rvalue is moved in, and of a container so are its elements.
template <class S>
[[nodiscard]] auto from(S&& s) {
  return detail::as_piece(static_cast<S&&>(s));
}
template <class T>
[[nodiscard]] auto from(std::initializer_list<T> values) {
  return detail::as_piece(std::vector<T>(values));
}

template <class T>
[[nodiscard]] auto empty() noexcept {
  return detail::empty_source<T>();
}
template <class T>
[[nodiscard]] auto once(T&& value) {
  return detail::once_source<std::decay_t<T>>(std::in_place, std::forward<T>(value));
}
/// Copies of `value`, for ever.
template <class T>
[[nodiscard]] auto repeat(T&& value) {
  using give = detail::copies<std::decay_t<T>>;
  return detail::endless_source<give>(give{std::forward<T>(value)});
}
/// What f() gives, or gives when it is awaited, for ever.
template <class F>
[[nodiscard]] auto repeat_with(F f) {
  if constexpr (detail::awaits_with<F>) {
    auto each = repeat(0);
    auto call = [f = std::move(f)](int) mutable -> decltype(auto) { return detail::invoke(f); };
    return detail::transformed(std::move(each), std::move(call));
  } else {
    return detail::endless_source<F>(std::move(f));
  }
}
/// What is in the optionals that f() gives, or gives when it is awaited, until one is empty.
template <class F>
[[nodiscard]] auto from_fn(F f) {
  if constexpr (detail::awaits_with<F>)
    return detail::as_piece(detail::called<F>(std::move(f)));
  else
    return detail::from_fn_source<F>(std::move(f));
}
/// `first`, f(first), f(f(first)), ... until f gives an empty std::optional. Each is made when it is asked for. f may give
/// values as well, then there is no end; and it may be a coroutine of either.
template <class T, class F>
[[nodiscard]] auto successors(T first, F f) {
  static_assert(detail::callable_with<F, const T&>,
                "astd::stream::successors: the closure cannot be called with a value (std::invocable)");
  if constexpr (detail::awaits_with<F, const T&>) {
    return detail::as_piece(detail::awaited_successors<T, F>(std::move(first), std::move(f)));
  } else {
    using give = detail::succeeding<T, F>;
    return detail::from_fn_source<give>(give{std::move(first), std::move(f)});
  }
}
/// As above, where `first` may be none.
template <class T, class F>
[[nodiscard]] auto successors(std::optional<T> first, F f) {
  using give = detail::succeeding<T, F>;
  return detail::from_fn_source<give>(give{std::move(first), std::move(f)});
}
/// Never gives anything, and never ends.
template <class T>
[[nodiscard]] auto pending() {
  return detail::as_piece(detail::never_source<T>());
}
/// astd::interval as a stream: the moments of its ticks, for ever.
template <class Rep, class Period>
[[nodiscard]] auto interval(std::chrono::duration<Rep, Period> period, missed_tick missed = missed_tick::burst) {
  return detail::as_piece(astd::interval(period, missed));
}

/// From the other end. The stream is double_ended.
[[nodiscard]] inline auto rev() {
  return detail::make_closure([]<class S>(S&& s) {
    static_assert(detail::double_ended<S>,
                  "astd::stream::rev: the stream is not double_ended: it has no next_back()");
    return detail::rev_piece<S>(std::move(s));
  });
}

}  // namespace astd::stream
