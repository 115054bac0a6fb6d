// event: tells tasks that something has changed. It carries no value, but remembers one notification that found nobody.
//
//   astd::event changed;
//   co_await changed.wait();           // elsewhere: changed.notify_one();
//
// Who waits for a condition takes its place before looking, and misses nothing:
//
//   for (;;) {
//     auto next = changed.wait();      // a notify_all() from here on counts
//     if (is_done()) break;
//     co_await next;
//   }
#pragma once

#include <astd/coro/awaitable.hpp>
#include <astd/coro/outcome.hpp>
#include <astd/sync/wait_on_thread.hpp>
#include <astd/sync/wait_queue.hpp>

namespace astd {

/// notify_one() wakes the one who has waited longest; if nobody waits it is kept for who comes next, once, however often
/// it is called. notify_all() wakes those who wait, and those whose wait() was called before; it is not kept, and takes
/// nothing from what notify_one() has left.
///
/// A waiter that is cancelled before it was notified leaves the line at once. One that is asked to stop when it was
/// notified, but has not gone on yet, goes on, to stop at its next suspension; and because it may not act on what it was
/// told, the notification of a notify_one() goes to the next one as well. So a notification may be seen twice then, but is
/// never lost.
///
/// Every member may be called on any thread, tasks or not. The event outlives whoever waits for it.
class event {
  class awaiter;
  class awaitable;

 public:
  constexpr event() noexcept = default;
  /// `name` is shown by dump_tasks(). It must outlive the event: usually a literal.
  explicit constexpr event(const char* name) noexcept : queue_(0, name) {}
  event(const event&) = delete;
  event& operator=(const event&) = delete;

  /// Await it, once or several times: `co_await e.wait();`. Does not suspend if there was a notify_all() since this was
  /// called, or if a notify_one() has been kept, which it uses up.
  [[nodiscard]] awaitable wait() noexcept;
  /// As wait(), for plain threads: blocks the thread, and needs no runtime.
  void wait_blocking();
  /// Uses up what a notify_one() has left. False if there is nothing.
  bool try_wait() noexcept;

  /// Wakes the first in line, or is kept.
  void notify_one() noexcept;
  /// Wakes the last in line, or is kept: for stacks of idle workers, where the warmest is to go first.
  void notify_last() noexcept;
  /// Wakes all, in the order of their arrival.
  void notify_all() noexcept;

 private:
  // The word: whether one is kept, and how often notify_all() was called.
  static constexpr detail::wait_queue::word kept = detail::wait_queue::one, round = 2 * detail::wait_queue::one;
  static detail::wait_queue::word round_of(detail::wait_queue::word state) noexcept { return state / round; }
  void notify(bool last) noexcept;

  detail::wait_queue queue_;
};

class event::awaiter final : public detail::waiter, public detail::awaiter_base<awaiter> {
 public:
  using value_type = void;
  awaiter(event& e, detail::wait_queue::word since) noexcept : waiter(e.queue_), event_(e), since_(since) {}
  bool await_ready() noexcept;
  detail::resumable* start(const detail::await_context& c) noexcept;
  detail::outcome<void> take() noexcept;

 private:
  friend event;
  bool admit(detail::wait_queue::word& state) noexcept override;
  void describe(std::string& out, unsigned depth) const override;
  event& event_;
  const detail::wait_queue::word since_;
  detail::chain* stoppable_ = nullptr;
  bool given_one_ = false;
};

class event::awaitable {
 public:
  awaitable(event& e, detail::wait_queue::word since) noexcept : event_(e), since_(since) {}
  auto operator co_await() const noexcept { return awaiter(event_, since_); }

 private:
  event& event_;
  detail::wait_queue::word since_;
};

inline event::awaitable event::wait() noexcept {
  // acquire: what was done before the notify_all() that this comes behind.
  return awaitable(*this, round_of(queue_.state().load(std::memory_order_acquire)));
}

}  // namespace astd
