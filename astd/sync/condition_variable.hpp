// condition_variable: waits, with a mutex given up meanwhile, until somebody says that something has changed.
//
//   auto guard = co_await m.lock();
//   co_await changed.wait(guard, [&] { return !queue.empty(); });
//   take(queue.front());                     // locked again
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/base/intrusive_list.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/coro/task.hpp>
#include <astd/sync/mapped.hpp>
#include <astd/sync/mutex.hpp>
#include <astd/sync/timed_wait.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace astd {

enum class cv_status { no_timeout, timeout };

/// As std::condition_variable, for tasks, with a mutex's guard. Waiting gives up the lock when it is awaited, not when
/// wait() is called.
///
/// **However a wait ends, the guard holds the lock again**: notified, timed out, or cancelled. What follows the await, and
/// the destructors that run when a task is stopped, may rely on it. So a cancelled wait ends only when it has got the lock:
/// do not await the end of such a task while holding the mutex (dump_tasks() shows who has it).
///
/// notify_one() wakes the one who has waited longest; it is lost if nobody waits. The notified are put into the mutex's own
/// queue in their order, so notify_all() wakes each when its turn has come, and not all at once to fight for it. A waiter
/// that is asked to stop when it was notified but has not gone on yet passes its notification on to the next, so that none
/// is lost. There may be wake-ups without a notification, then and otherwise: use a predicate.
///
/// Every member may be called on any thread, tasks or not, with or without the mutex held. The condition variable and the
/// mutex outlive whoever waits, until their awaits have ended.
class condition_variable {
  class waiting;
  template <class Value>
  class awaiter;
  template <class Value>
  class awaitable;
  class timed;

 public:
  constexpr condition_variable() noexcept = default;
  /// `name` is shown by dump_tasks(). It must outlive the condition variable: usually a literal.
  explicit constexpr condition_variable(const char* name) noexcept : name_(name) {}
  condition_variable(const condition_variable&) = delete;
  condition_variable& operator=(const condition_variable&) = delete;

  /// `co_await cv.wait(guard);` `guard` holds a mutex, and outlives the await.
  [[nodiscard]] awaitable<void> wait(mutex_guard& guard) noexcept;
  /// Waits until `ready()` holds, which is asked with the lock held, at first and after each wake-up. Also if it is stopped:
  /// then it is not asked again.
  template <std::predicate Predicate>
  [[nodiscard]] task<> wait(mutex_guard& guard, Predicate ready);
  /// Waits for at most so long, and then for the lock, which may take longer. A notification beats the deadline.
  template <class Rep, class Period>
  [[nodiscard]] auto wait_for(mutex_guard& guard, std::chrono::duration<Rep, Period> d) noexcept;
  template <class Clock, class Duration>
  [[nodiscard]] auto wait_until(mutex_guard& guard, std::chrono::time_point<Clock, Duration> tp) noexcept;
  /// The same until `ready()` holds. Gives what it said last: after the deadline it is asked once more.
  template <class Rep, class Period, std::predicate Predicate>
  [[nodiscard]] task<bool> wait_for(mutex_guard& guard, std::chrono::duration<Rep, Period> d, Predicate ready) {
    const detail::instant now = detail::now_here(), span = detail::to_nanoseconds(d);
    return wait_while_not(guard, span >= detail::never - now ? detail::never : now + span, std::move(ready));
  }
  template <class Clock, class Duration, std::predicate Predicate>
  [[nodiscard]] task<bool> wait_until(mutex_guard& guard, std::chrono::time_point<Clock, Duration> tp,
                                      Predicate ready) {
    return wait_while_not(guard, detail::to_instant(tp), std::move(ready));
  }

  /// As those without _blocking, for plain threads: they block the thread, and need no runtime.
  void wait_blocking(mutex_guard& guard);
  template <std::predicate Predicate>
  void wait_blocking(mutex_guard& guard, Predicate ready) {
    while (!ready()) wait_blocking(guard);
  }
  template <class Rep, class Period>
  cv_status wait_for_blocking(mutex_guard& guard, std::chrono::duration<Rep, Period> d);
  template <class Clock, class Duration>
  cv_status wait_until_blocking(mutex_guard& guard, std::chrono::time_point<Clock, Duration> tp);
  template <class Rep, class Period, std::predicate Predicate>
  bool wait_for_blocking(mutex_guard& guard, std::chrono::duration<Rep, Period> d, Predicate ready) {
    // A hundred years are for ever, and do not overflow.
    constexpr std::chrono::hours most(24 * 36525);
    const auto limit = d < most ? std::chrono::ceil<std::chrono::nanoseconds>(d) : std::chrono::nanoseconds(most);
    return wait_until_blocking(guard, std::chrono::steady_clock::now() + limit, std::move(ready));
  }
  template <class Clock, class Duration, std::predicate Predicate>
  bool wait_until_blocking(mutex_guard& guard, std::chrono::time_point<Clock, Duration> tp, Predicate ready) {
    while (!ready())
      if (wait_until_blocking(guard, tp) == cv_status::timeout) return ready();
    return true;
  }

  /// One load if nobody waits.
  void notify_one() noexcept;
  void notify_all() noexcept;

 private:
  template <std::predicate Predicate>
  task<bool> wait_while_not(mutex_guard& guard, detail::instant until, Predicate ready);

  detail::spin_lock lock_;
  detail::intrusive_list<waiting> line_;  // guarded by lock_
  // Whether there are any. Written under lock_. relaxed: who waits was here before it gave up the mutex, which whoever
  // changed the condition has locked since.
  detail::atomic<bool> any_{false};
  const char* const name_ = nullptr;
};

/// One who waits: first in line for a notification, then in the mutex's for the lock.
class condition_variable::waiting : public detail::waiter {
 public:
  void request_stop() noexcept override;

 protected:
  waiting(condition_variable& cv, mutex_guard& guard) noexcept;
  ~waiting() = default;
  detail::resumable* begin(const detail::await_context& c) noexcept;
  void ended() noexcept;

 private:
  friend condition_variable;
  enum class stage : std::uint8_t { before, in_line, notified, refused };
  static astd::mutex& held_by(const mutex_guard& guard) noexcept;
  bool admit(detail::wait_queue::word& state) noexcept override;
  void describe(std::string& out, unsigned depth) const override;

  condition_variable& cv_;
  mutex_guard& guard_;
  astd::mutex& mutex_;
  detail::chain* stoppable_ = nullptr;
  std::atomic<stage> stage_ = stage::before;  // written under cv_.lock_; dumps read it
};

/// Value: void, or something for optionals of it.
template <class Value>
class condition_variable::awaiter final : public waiting, public detail::awaiter_base<awaiter<Value>> {
 public:
  using value_type = Value;
  awaiter(condition_variable& cv, mutex_guard& guard) noexcept : waiting(cv, guard) {}
  bool await_ready() const noexcept { return false; }
  detail::resumable* start(const detail::await_context& c) noexcept { return begin(c); }
  detail::outcome<Value> take() noexcept {
    resumed();
    ended();
    detail::outcome<Value> out;
    out.set_value();
    return out;
  }
};

template <class Value>
class condition_variable::awaitable {
 public:
  awaitable(condition_variable& cv, mutex_guard& guard) noexcept : cv_(cv), guard_(guard) {}
  auto operator co_await() const noexcept { return awaiter<Value>(cv_, guard_); }

 private:
  condition_variable& cv_;
  mutex_guard& guard_;
};

inline condition_variable::awaitable<void> condition_variable::wait(mutex_guard& guard) noexcept {
  return {*this, guard};
}

class condition_variable::timed {
  using notified = std::optional<std::monostate>;
  [[nodiscard]] auto wait() const {
    auto try_now = [] { return notified(); };
    return detail::timed_wait(limit_, awaitable<std::monostate>(cv_, guard_), try_now);
  }
  static cv_status status(notified came) noexcept { return came ? cv_status::no_timeout : cv_status::timeout; }

 public:
  timed(condition_variable& cv, mutex_guard& guard, const detail::time_limit& limit) noexcept
      : cv_(cv), guard_(guard), limit_(limit) {}
  auto operator co_await() const { return detail::map_awaiter(wait(), &status); }
  [[nodiscard]] cv_status on_thread() const { return status(wait().on_thread()); }

 private:
  condition_variable& cv_;
  mutex_guard& guard_;
  detail::time_limit limit_;
};

template <class Rep, class Period>
auto condition_variable::wait_for(mutex_guard& guard, std::chrono::duration<Rep, Period> d) noexcept {
  return timed(*this, guard, detail::time_limit(d));
}
template <class Clock, class Duration>
auto condition_variable::wait_until(mutex_guard& guard, std::chrono::time_point<Clock, Duration> tp) noexcept {
  return timed(*this, guard, detail::time_limit(tp));
}
template <class Rep, class Period>
cv_status condition_variable::wait_for_blocking(mutex_guard& guard, std::chrono::duration<Rep, Period> d) {
  return wait_for(guard, d).on_thread();
}
template <class Clock, class Duration>
cv_status condition_variable::wait_until_blocking(mutex_guard& guard, std::chrono::time_point<Clock, Duration> tp) {
  return wait_until(guard, tp).on_thread();
}

template <std::predicate Predicate>
task<> condition_variable::wait(mutex_guard& guard, Predicate ready) {
  while (!ready()) co_await wait(guard);
}

template <std::predicate Predicate>
task<bool> condition_variable::wait_while_not(mutex_guard& guard, detail::instant until, Predicate ready) {
  while (!ready()) {
    const cv_status status = co_await timed(*this, guard, detail::time_limit::at(until));
    if (status == cv_status::timeout) co_return ready();
  }
  co_return true;
}

}  // namespace astd
