// timeout(d, aw): the value, or std::errc::timed_out.
//
//   auto page = co_await timeout(5s, fetch(url));
#pragma once

#include <astd/coro/branch_pack.hpp>
#include <astd/coro/composite.hpp>
#include <astd/runtime/sleep.hpp>

#include <chrono>
#include <utility>

namespace astd {
namespace detail {

/// A race between a branch and a sleep in which a value beats the deadline.
template <class A>
class timeout_awaiter final : public composite, public awaiter_base<timeout_awaiter<A>> {
 public:
  using value_type = typename branch<A>::value_type;
  timeout_awaiter(const sleep_awaitable& limit, A&& a)
      : composite("timeout"), body_(*this, static_cast<A&&>(a)), limit_(*this, sleep_awaitable(limit)) {
    add(body_);
    add(limit_);
  }

  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept { return start_branches(c); }
  outcome<value_type> take() {
    resumed();
    if (!body_.stopped()) return std::move(body_.result());
    return outcome<value_type>(failure(errc::timed_out));
  }

 private:
  resumable* branch_ended(branch_base& b) noexcept override {
    if (!b.stopped()) cancel_others(&b);
    return nullptr;
  }
  [[nodiscard]] bool has_outcome() const noexcept override { return !body_.stopped() || !limit_.stopped(); }

  branch<A> body_;
  branch<sleep_awaitable> limit_;
};

template <class A>
class timeout_awaitable {
 public:
  timeout_awaitable(const sleep_awaitable& limit, A&& a) : limit_(limit), a_(static_cast<A&&>(a)) {}
  auto operator co_await() && { return timeout_awaiter<A>(limit_, static_cast<A&&>(a_)); }

 private:
  sleep_awaitable limit_;
  A a_;
};

}  // namespace detail

/// Awaits `aw` for at most `d`, from the start of the await. Then it is cancelled and has ended when timeout throws (or
/// gives) std::errc::timed_out. A value that exists beats the deadline, however late it is looked at: what is ready at
/// once is given even when d is zero. What is too long for the clock is for ever. Cancelling it cancels `aw`. An rvalue
/// is moved in, an lvalue is referred to. Takes no allocation.
template <class Rep, class Period, awaitable A>
[[nodiscard]] auto timeout(std::chrono::duration<Rep, Period> d, A&& aw) {
  return detail::timeout_awaitable<A>(detail::sleep_awaitable(detail::to_nanoseconds(d), true),
                                      static_cast<A&&>(aw));
}

/// The same with a moment of a std::chrono clock, which is read when this is called: see this_task::sleep_until.
template <class Clock, class Duration, awaitable A>
[[nodiscard]] auto timeout_at(std::chrono::time_point<Clock, Duration> tp, A&& aw) {
  return detail::timeout_awaitable<A>(detail::sleep_awaitable(detail::to_instant(tp), false), static_cast<A&&>(aw));
}

}  // namespace astd
