// poll_fn(f): asks f for a value until it has one; the bridge to callbacks and to anything that can only be polled.
//
//   auto reply = co_await poll_fn([&](const waker& w) -> std::optional<reply> {
//     return mailbox.take_or_remember(w);    // somebody calls w.wake() later
//   });
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/coro/awaitable.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

class poller;

struct waker_state {
  spin_lock lock;
  poller* waiting = nullptr;  // guarded by lock; null once the await has ended
  atomic<unsigned> owners{1};
};

}  // namespace detail

/// Asks for another poll. Copyable, cheap, may outlive the await: waking is without effect then. Any thread.
class waker {
 public:
  waker(const waker& other) noexcept : state_(other.state_) {
    state_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  waker& operator=(waker other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~waker();
  /// The polled function is called again, soon, on its chain's executor, and never within wake(). Several wakes may
  /// lead to one poll.
  void wake() const noexcept;

 private:
  friend class detail::poller;
  explicit waker(detail::waker_state* state) noexcept : state_(state) {}
  detail::waker_state* state_;
};

namespace detail {

/// The part of poll_fn that knows nothing of the value. Whoever sets the busy bit polls, or ends the await.
class poller : public suspension {
 public:
  void request_stop() noexcept final;
  void describe(std::string& out, unsigned) const final { out += "poll_fn"; }

 protected:
  poller();
  ~poller();
  [[nodiscard]] const waker& own_waker() const noexcept { return waker_; }
  [[nodiscard]] resumable* start_polling(const await_context& c) noexcept;

 private:
  friend class astd::waker;
  static constexpr std::uint8_t busy = 1, again = 2, stopping = 4;
  /// True when there is an outcome.
  virtual bool poll() noexcept = 0;
  resumable* rest() noexcept;
  resumable* turn() noexcept;
  static void run_turn(resumable* r);
  /// True if the caller must schedule the turn; until that has come the await does not end.
  bool claim_turn() noexcept;
  void schedule_turn(urgency how) noexcept;

  resumable turn_;
  atomic<std::uint8_t> state_{busy};
  waker waker_;
};

template <class F>
class poll_fn_awaiter final : public poller, public awaiter_base<poll_fn_awaiter<F>> {
  using polled = std::invoke_result_t<F&, const waker&>;
  static constexpr bool no_value = std::is_same_v<polled, bool>;
  template <class P>
  struct value_of {
    using type = typename P::value_type;
  };
  struct no_type {
    using type = void;
  };

 public:
  using value_type = typename std::conditional_t<no_value, no_type, value_of<polled>>::type;
  explicit poll_fn_awaiter(F&& f) : f_(static_cast<F&&>(f)) {}

  bool await_ready() noexcept { return poll(); }
  resumable* start(const await_context& c) noexcept { return start_polling(c); }
  outcome<value_type> take() {
    resumed();
    return std::move(result_);
  }

 private:
  bool poll() noexcept override {
#if ASTD_HAS_EXCEPTIONS
    try {
#endif
      if (polled p = f_(own_waker())) {
        if constexpr (no_value)
          result_.set_value();
        else
          result_.set_value(*std::move(p));
      }
#if ASTD_HAS_EXCEPTIONS
    } catch (...) {
      result_.set_exception(std::current_exception());
    }
#endif
    return result_.has_value() || result_.failed();
  }
  std::decay_t<F> f_;
  outcome<value_type> result_;
};

template <class F>
class poll_fn_awaitable {
 public:
  explicit poll_fn_awaitable(F&& f) : f_(static_cast<F&&>(f)) {}
  auto operator co_await() && { return poll_fn_awaiter<F>(static_cast<F&&>(f_)); }

 private:
  F f_;
};

}  // namespace detail

/// Calls f(const waker&) until the std::optional<T> (or the bool) it returns is engaged, and gives that T (or nothing).
/// When it is not, f must have kept a copy of the waker, whose wake() leads to the next call. Calls never overlap. An
/// exception from f ends the await. `f` is moved in, or copied if it is an lvalue. One allocation. Cancellation ends it
/// between two calls.
template <class F>
  requires std::is_invocable_v<F&, const waker&>
[[nodiscard]] auto poll_fn(F&& f) {
  return detail::poll_fn_awaitable<F>(static_cast<F&&>(f));
}

}  // namespace astd
