// What timer and delay_queue share: tasks in line for something that time, or somebody, brings about. Only the first in
// line has an alarm in its loop's timer wheel; it lives, with all else, in the awaiting frame.
#pragma once

#include <astd/base/intrusive_list.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/runtime/timer_wheel.hpp>

#include <cstdint>

namespace astd::detail {

class loop;
class timed_line;

/// Who waits in line. A derived awaiter calls begin() in start().
class timed_waiter : public suspension, public list_node {
 public:
  void request_stop() noexcept final;

 protected:
  explicit timed_waiter(timed_line& in) noexcept : line_(in) { alarm_.of = this; }
  ~timed_waiter() = default;
  [[nodiscard]] resumable* begin(const await_context& c) noexcept;

 private:
  friend class timed_line;
  enum class place : std::uint8_t { outside, in_line, through, stopping, refused };
  struct alarm : timer {
    timed_waiter* of;
  };
  resumable* join_line() noexcept;
  static void join_line_on_worker(resumable* r);
  static void rang(timer& t) noexcept;
  void arm(instant deadline) noexcept;
  bool disarm() noexcept;

  timed_line& line_;
  loop* home_ = nullptr;
  alarm alarm_;
  // Guarded by the line's lock.
  place place_ = place::outside;
  bool armed_ = false;  // set, and rang() has not begun; if it is firing, rang() ends the wait
};

/// Outlives every wait.
class timed_line {
 public:
  timed_line(const timed_line&) = delete;
  timed_line& operator=(const timed_line&) = delete;

 protected:
  using waiters = intrusive_list<timed_waiter>;
  timed_line() noexcept = default;
  ~timed_line();

  [[nodiscard]] spin_lock& lock() const noexcept { return lock_; }

  // Under the lock:
  /// When the first in line is to look again; `never`: somebody will call look().
  [[nodiscard]] virtual instant due() const noexcept = 0;
  /// Whether `w` is let through; if so, gives it what it gets.
  [[nodiscard]] virtual bool admit(timed_waiter& w, instant now) noexcept = 0;
  /// After a change: lets through from the front whom admit() admits. They are woken by wake(), without the lock.
  void look(waiters& through) noexcept;

  static void wake(waiters& through) noexcept;

 private:
  friend class timed_waiter;
  mutable spin_lock lock_;
  waiters waiting_;
};

}  // namespace astd::detail
