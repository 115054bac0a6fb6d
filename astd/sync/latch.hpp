// latch: a number that is counted down once; whoever waits goes on when it is 0.
//
//   astd::latch done(2);
//   spawn(work, std::ref(done)).detach();   // ends with done.count_down()
//   spawn(work, std::ref(done)).detach();
//   co_await done.wait();
#pragma once

#include <astd/base/assert.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/coro/outcome.hpp>
#include <astd/sync/wait_on_thread.hpp>
#include <astd/sync/wait_queue.hpp>

#include <cstddef>
#include <cstdint>

namespace astd {

/// As std::latch. All who wait are woken when it reaches 0, in the order of their arrival, and it stays there. Every
/// member may be called on any thread, tasks or not. It may be destroyed as soon as it is 0 and those who waited have gone
/// on, even by one of them.
class latch {
  class awaiter;
  class awaitable;

 public:
  [[nodiscard]] static constexpr std::ptrdiff_t max() noexcept {
    return PTRDIFF_MAX / static_cast<std::ptrdiff_t>(detail::wait_queue::one);
  }
  /// `expected`: from 0 to max(). `name` is shown by dump_tasks(); it must outlive the latch.
  explicit constexpr latch(std::ptrdiff_t expected, const char* name = nullptr) noexcept
      : queue_(words(expected), name) {
    ASTD_ASSERT(expected >= 0 && expected <= max(), "a latch was made with a count that it cannot have");
  }

  /// Takes `n` off the count, at most what is left. One compare-exchange; the one that reaches 0 wakes who waits.
  void count_down(std::ptrdiff_t n = 1) noexcept {
    detail::wait_queue::word seen = queue_.state().load(std::memory_order_relaxed);
    while (!(seen & detail::wait_queue::flags)) {
      check(seen, n);
      // release: for who sees it reach 0, also past those who count down in between.
      if (queue_.state().compare_exchange_weak(seen, seen - words(n), std::memory_order_release,
                                               std::memory_order_relaxed))
        return;
    }
    count_down_slowly(n);
  }
  /// Whether it is 0. Unlike std's, it does not fail without a reason.
  [[nodiscard]] bool try_wait() const noexcept {
    // acquire pairs with count_down().
    return count_in(queue_.state().load(std::memory_order_acquire)) == 0;
  }
  /// `co_await l.wait();` One load if it is 0. Cancellation ends the wait at once.
  [[nodiscard]] awaitable wait() noexcept;
  /// Counts down when it is awaited, and waits. Cancelled while it waits, it stays counted.
  [[nodiscard]] awaitable arrive_and_wait(std::ptrdiff_t n = 1) noexcept;
  /// As those without _blocking, for plain threads: they block the thread, and need no runtime.
  void wait_blocking();
  void arrive_and_wait_blocking(std::ptrdiff_t n = 1);

 private:
  static constexpr detail::wait_queue::word words(std::ptrdiff_t n) noexcept {
    return static_cast<detail::wait_queue::word>(n) * detail::wait_queue::one;
  }
  static std::ptrdiff_t count_in(detail::wait_queue::word state) noexcept {
    return static_cast<std::ptrdiff_t>(state / detail::wait_queue::one);
  }
  static void check([[maybe_unused]] detail::wait_queue::word state, [[maybe_unused]] std::ptrdiff_t n) noexcept {
    ASTD_ASSERT(n >= 0 && n <= count_in(state), "a latch was counted down below 0");
  }
  void count_down_slowly(std::ptrdiff_t n) noexcept;

  detail::wait_queue queue_;
};

class latch::awaiter final : public detail::waiter, public detail::awaiter_base<awaiter> {
 public:
  using value_type = void;
  awaiter(latch& l, std::ptrdiff_t arrives) noexcept : waiter(l.queue_), latch_(l), arrives_(arrives) {}
  bool await_ready() noexcept {
    if (arrives_ != 0) latch_.count_down(arrives_);
    return latch_.try_wait();
  }
  detail::resumable* start(const detail::await_context& c) noexcept { return wait(c); }
  detail::outcome<void> take() noexcept {
    resumed();
    detail::outcome<void> out;
    out.set_value();
    return out;
  }

 private:
  bool admit(detail::wait_queue::word& state) noexcept override;
  void describe(std::string& out, unsigned depth) const override;
  latch& latch_;
  const std::ptrdiff_t arrives_;
};

class latch::awaitable {
 public:
  awaitable(latch& l, std::ptrdiff_t arrives) noexcept : latch_(l), arrives_(arrives) {}
  auto operator co_await() const noexcept { return awaiter(latch_, arrives_); }

 private:
  latch& latch_;
  std::ptrdiff_t arrives_;
};

inline latch::awaitable latch::wait() noexcept { return awaitable(*this, 0); }
inline latch::awaitable latch::arrive_and_wait(std::ptrdiff_t n) noexcept { return awaitable(*this, n); }

}  // namespace astd
