// delay(d, aw): the same, later.
//
//   co_await delay(100ms, retry());
#pragma once

#include <astd/coro/own_awaiter.hpp>
#include <astd/runtime/sleep.hpp>

#include <chrono>
#include <exception>
#include <utility>

namespace astd {
namespace detail {

template <class A>
class delay_awaiter final : public awaiter_base<delay_awaiter<A>> {
 public:
  using value_type = typename own_awaiter<A>::value_type;
  delay_awaiter(const sleep_awaitable& d, A&& a)
      : sleep_(d.operator co_await()), body_(static_cast<A&&>(a)), slept_(&go_on, this) {}

  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept {
    context_ = c;
    if (sleep_.await_ready()) return start_body();
    return sleep_.start({&slept_, c.in, c.frame, c.chain_stays});
  }
  outcome<value_type> take() {
    if (result_.failed()) return std::move(result_);
    return body_->take();
  }

 private:
  static void go_on(resumable* r) {
    auto& self = *static_cast<delay_awaiter*>(r->second_);
    self.sleep_.await_resume();
    resumable* const next = self.start_body();
    ASTD_TRANSFER_TO(next);
  }
  resumable* start_body() noexcept {
#if ASTD_HAS_EXCEPTIONS
    try {
#endif
      if (body_->await_ready()) return context_.continuation;
      return body_->start(context_);
#if ASTD_HAS_EXCEPTIONS
    } catch (...) {
      result_.set_exception(std::current_exception());
      return context_.continuation;
    }
#endif
  }

  sleep_awaiter sleep_;
  own_awaiter<A> body_;
  outcome<value_type> result_;  // if the body could not even be started
  resumable slept_;
  await_context context_{};
};

template <class A>
class delay_awaitable {
 public:
  delay_awaitable(const sleep_awaitable& d, A&& a) : sleep_(d), a_(static_cast<A&&>(a)) {}
  auto operator co_await() && { return delay_awaiter<A>(sleep_, static_cast<A&&>(a_)); }

 private:
  sleep_awaitable sleep_;
  A a_;
};

}  // namespace detail

/// Sleeps for `d`, from the start of the await, then awaits `aw` and gives what that gives. `aw` does not begin before.
/// Cancelling it cancels the sleep, or `aw`. An rvalue is moved in, an lvalue is referred to. Takes no allocation.
template <class Rep, class Period, awaitable A>
[[nodiscard]] auto delay(std::chrono::duration<Rep, Period> d, A&& aw) {
  return detail::delay_awaitable<A>(detail::sleep_awaitable(detail::to_nanoseconds(d), true), static_cast<A&&>(aw));
}

}  // namespace astd
