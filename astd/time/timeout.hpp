// timeout(d, aw): the value, or std::errc::timed_out.
//
//   auto page = co_await timeout(5s, fetch(url));
#pragma once

#include <astd/coro/limit.hpp>
#include <astd/runtime/sleep.hpp>

#include <chrono>

namespace astd {
namespace detail {

template <awaitable A>
auto limited_by(const sleep_awaitable& limit, A&& a) {
  return limit_awaitable<A, sleep_awaitable>("timeout", errc::timed_out, limit, static_cast<A&&>(a));
}

}  // namespace detail

/// Awaits `aw` for at most `d`, from the start of the await. Then it is cancelled and has ended when timeout throws (or
/// gives) std::errc::timed_out. A value that exists beats the deadline, however late it is looked at: what is ready at
/// once is given even when d is zero. What is too long for the clock is for ever. Cancelling it cancels `aw`. An rvalue
/// is moved in, an lvalue is referred to. Takes no allocation.
template <class Rep, class Period, awaitable A>
[[nodiscard]] auto timeout(std::chrono::duration<Rep, Period> d, A&& aw) {
  return detail::limited_by(detail::sleep_awaitable(detail::to_nanoseconds(d), true), static_cast<A&&>(aw));
}

/// The same with a moment of a std::chrono clock, which is read when this is called: see this_task::sleep_until.
template <class Clock, class Duration, awaitable A>
[[nodiscard]] auto timeout_at(std::chrono::time_point<Clock, Duration> tp, A&& aw) {
  return detail::limited_by(detail::sleep_awaitable(detail::to_instant(tp), false), static_cast<A&&>(aw));
}

}  // namespace astd
