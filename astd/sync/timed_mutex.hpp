// timed_mutex: a mutex that one can wait for for a while.
//
//   auto guard = co_await m.try_lock_for(100ms);
//   if (!guard) co_return busy;
#pragma once

#include <astd/sync/mutex.hpp>
#include <astd/sync/timed_wait.hpp>

#include <chrono>
#include <optional>

namespace astd {

/// A mutex (all that is said of that holds) with waits that give up. `timeout(d, m.lock())` does the same with any mutex,
/// and makes an error of it.
class timed_mutex : public mutex {
  auto try_lock_within(const detail::time_limit& limit) noexcept {
    auto try_now = [this] { return try_lock(); };
    return detail::timed_wait(limit, lock(), try_now);
  }

 public:
  using mutex::mutex;

  /// Awaited: a guard, or nothing when the time has gone by. What has been given beats the deadline; a lock that is free is
  /// taken however short the time.
  template <class Rep, class Period>
  [[nodiscard]] auto try_lock_for(std::chrono::duration<Rep, Period> d) noexcept {
    return try_lock_within(detail::time_limit(d));
  }
  template <class Clock, class Duration>
  [[nodiscard]] auto try_lock_until(std::chrono::time_point<Clock, Duration> tp) noexcept {
    return try_lock_within(detail::time_limit(tp));
  }
  /// The same for plain threads: they block the thread, and need no runtime.
  template <class Rep, class Period>
  [[nodiscard]] std::optional<mutex_guard> try_lock_for_blocking(std::chrono::duration<Rep, Period> d) {
    return try_lock_for(d).on_thread();
  }
  template <class Clock, class Duration>
  [[nodiscard]] std::optional<mutex_guard> try_lock_until_blocking(std::chrono::time_point<Clock, Duration> tp) {
    return try_lock_until(tp).on_thread();
  }
};

}  // namespace astd
