// Waiting for at most so long, where what did not come is an answer and no error: try_lock_for and the like.
#pragma once

#include <astd/coro/branch_pack.hpp>
#include <astd/coro/composite.hpp>
#include <astd/runtime/duration.hpp>
#include <astd/runtime/sleep.hpp>
#include <astd/sync/wait_on_thread.hpp>

#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>

namespace astd::detail {

/// A moment, or a time from the start of the wait.
struct time_limit {
  template <class Rep, class Period>
  explicit time_limit(std::chrono::duration<Rep, Period> d) noexcept : when(to_nanoseconds(d)), relative(true) {}
  template <class Clock, class Duration>
  explicit time_limit(std::chrono::time_point<Clock, Duration> tp) noexcept
      : when(to_instant(tp)), relative(false) {}
  static time_limit at(instant when) noexcept { return {when, false}; }
  instant when;
  bool relative;

 private:
  time_limit(instant w, bool r) noexcept : when(w), relative(r) {}
};

/// A race of `A` against a sleep. `Try` asks first whether there is no need to wait, and gives what the whole gives: an
/// optional. What has been given beats the deadline.
template <class A, class Try>
class timed_awaiter final : public composite, public awaiter_base<timed_awaiter<A, Try>> {
 public:
  using value_type = std::invoke_result_t<Try&>;
  timed_awaiter(const time_limit& limit, A&& a, Try try_now)
      : composite("timed wait"),
        try_(std::move(try_now)),
        body_(*this, static_cast<A&&>(a)),
        limit_(*this, sleep_awaitable(limit.when, limit.relative)) {
    add(body_);
    add(limit_);
  }

  bool await_ready() {
    early_.emplace(try_());
    return early_->has_value();
  }
  resumable* start(const await_context& c) noexcept { return start_branches(c); }
  outcome<value_type> take() {
    resumed();
    outcome<value_type> out;
    if (early_->has_value())
      out.set_value(std::move(*early_));
    else if (body_.stopped())
      out.set_value();
    else if (body_.failed())
      out.set_error_of(body_.result());
    else
      out.set_value(std::move(body_.result()).get());
    return out;
  }

 private:
  resumable* branch_ended(branch_base& b) noexcept override {
    if (!b.stopped()) cancel_others(&b);
    return nullptr;
  }
  [[nodiscard]] bool has_outcome() const noexcept override { return !body_.stopped() || !limit_.stopped(); }

  Try try_;
  std::optional<value_type> early_;
  branch<A> body_;
  branch<sleep_awaitable> limit_;
};

template <class A, class Try>
class timed_wait {
 public:
  timed_wait(const time_limit& limit, A a, Try try_now)
      : limit_(limit), a_(std::move(a)), try_(std::move(try_now)) {}
  auto operator co_await() && { return timed_awaiter<A, Try>(limit_, std::move(a_), std::move(try_)); }

  /// The same on a plain thread.
  std::invoke_result_t<Try&> on_thread() && {
    if (is_in_runtime()) return block_on(std::move(*this));
    if (auto early = try_()) return early;
    const instant now = now_here();
    const instant until = !limit_.relative ? limit_.when : limit_.when >= never - now ? never : now + limit_.when;
    return wait_on_thread_until(std::move(a_),
                                std::chrono::steady_clock::time_point(std::chrono::nanoseconds(until)));
  }

 private:
  time_limit limit_;
  A a_;
  Try try_;
};

}  // namespace astd::detail
