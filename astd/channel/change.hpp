// Something that has changed or has not, and can be waited for: the end of a channel, the value of a promise.
#pragma once

#include <astd/coro/awaitable.hpp>
#include <astd/coro/outcome.hpp>
#include <astd/sync/wait_queue.hpp>

#include <string>

namespace astd::detail {

/// acquire: what was done before it changed.
[[nodiscard]] inline bool has_changed(const wait_queue& q) noexcept {
  return q.state().load(std::memory_order_acquire) >= wait_queue::one;
}
/// Wakes all who wait for that.
inline void change(wait_queue& q) noexcept {
  q.update([](wait_queue::word) { return wait_queue::one; });
}

class change_waiter final : public waiter, public awaiter_base<change_waiter> {
 public:
  using value_type = void;
  change_waiter(wait_queue& queue, const char* what) noexcept : waiter(queue), what_(what) {}
  bool await_ready() const noexcept { return has_changed(queue()); }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<void> take() noexcept {
    resumed();
    outcome<void> o;
    o.set_value();
    return o;
  }

 private:
  bool admit(wait_queue::word& state) noexcept override { return state != 0; }
  void describe(std::string& out, unsigned) const override { describe_as(out, what_); }
  const char* what_;
};

class [[nodiscard("it does nothing until it is awaited")]] change_awaitable {
 public:
  change_awaitable(wait_queue& queue, const char* what) noexcept : queue_(&queue), what_(what) {}
  change_waiter operator co_await() const noexcept { return change_waiter(*queue_, what_); }

 private:
  wait_queue* queue_;
  const char* what_;
};

}  // namespace astd::detail
