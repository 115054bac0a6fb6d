// counting_semaphore: a number of permits, handed out in the order in which they are asked for.
//
//   astd::counting_semaphore<> connections(100);
//   auto permit = co_await connections.acquire_permit();   // given back by permit's destructor
//   co_await fetch(url);
#pragma once

#include <astd/base/assert.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/coro/outcome.hpp>
#include <astd/sync/mapped.hpp>
#include <astd/sync/timed_wait.hpp>
#include <astd/sync/wait_queue.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace astd {

class semaphore_permit;
namespace detail {
class permit_awaitable;
class acquire_awaitable;
template <class Value>
class acquire_awaiter;

/// What all counting_semaphores are. Fair: who waits is served in the order of arrival, whatever it asked for. A large
/// request at the front is not overtaken by small ones behind it, so it is not starved; what has come back meanwhile is
/// kept for it.
///
/// Every member may be called on any thread, tasks or not. The semaphore outlives its permits and whoever waits for it.
class semaphore {
 public:
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  /// `co_await s.acquire();` takes `n` permits, which release() gives back. When there are enough and nobody waits: one
  /// compare-exchange, and no suspension. Cancellation ends the wait at once. A task that has just been given them when it
  /// is cancelled has them, and stops at its next suspension: where that can happen, prefer acquire_permit(), whose
  /// permit gives them back. Closed: std::errc::broken_pipe.
  [[nodiscard]] acquire_awaitable acquire(std::ptrdiff_t n = 1) noexcept;
  /// `auto permit = co_await s.acquire_permit();` The same, as an object that gives them back.
  [[nodiscard]] permit_awaitable acquire_permit(std::ptrdiff_t n = 1) noexcept;
  /// At once or not at all: false when there are not enough, when others wait, and when it is closed.
  [[nodiscard]] bool try_acquire(std::ptrdiff_t n = 1) noexcept;
  [[nodiscard]] std::optional<semaphore_permit> try_acquire_permit(std::ptrdiff_t n = 1) noexcept;
  /// Awaited: takes one permit, or gives false when the time has gone by. What has been given beats the deadline.
  template <class Rep, class Period>
  [[nodiscard]] auto try_acquire_for(std::chrono::duration<Rep, Period> d) noexcept;
  template <class Clock, class Duration>
  [[nodiscard]] auto try_acquire_until(std::chrono::time_point<Clock, Duration> tp) noexcept;

  /// As those without _blocking, for plain threads: they block the thread, and need no runtime.
  void acquire_blocking(std::ptrdiff_t n = 1);
  [[nodiscard]] semaphore_permit acquire_permit_blocking(std::ptrdiff_t n = 1);
  template <class Rep, class Period>
  [[nodiscard]] bool try_acquire_for_blocking(std::chrono::duration<Rep, Period> d);
  template <class Clock, class Duration>
  [[nodiscard]] bool try_acquire_until_blocking(std::chrono::time_point<Clock, Duration> tp);

  /// Takes up to `n` of the free permits away for good. How many there were.
  std::ptrdiff_t forget(std::ptrdiff_t n) noexcept;
  /// No permit is given any more: whoever waits and whoever comes gets std::errc::broken_pipe. Permits may still be
  /// given back. For good.
  void close() noexcept;
  [[nodiscard]] bool is_closed() const noexcept;
  /// How many are free at this moment, also if somebody waits for more.
  [[nodiscard]] std::ptrdiff_t available() const noexcept;

 protected:
  constexpr semaphore(std::ptrdiff_t permits, const char* name) noexcept
      : queue_(static_cast<wait_queue::word>(permits) * permit, name) {}
  ~semaphore() = default;
  void give(std::ptrdiff_t n, std::ptrdiff_t most) noexcept {
    ASTD_ASSERT(n >= 0, "less than no permits were released");
    wait_queue::word seen = queue_.state().load(std::memory_order_relaxed);
    while (!(seen & wait_queue::flags)) {
      check(seen, n, most);
      // release: for whoever acquires them.
      if (queue_.state().compare_exchange_weak(seen, seen + words(n), std::memory_order_release,
                                               std::memory_order_relaxed))
        return;
    }
    give_slowly(n, most);
  }

 private:
  friend semaphore_permit;
  friend class acquire_waiter;
  static constexpr wait_queue::word closed = wait_queue::one, permit = 2 * wait_queue::one;
  static constexpr wait_queue::word words(std::ptrdiff_t n) noexcept {
    return static_cast<wait_queue::word>(n) * permit;
  }
  static std::ptrdiff_t permits(wait_queue::word state) noexcept {
    return static_cast<std::ptrdiff_t>(state / permit);
  }
  static void check([[maybe_unused]] wait_queue::word state, [[maybe_unused]] std::ptrdiff_t n,
                    [[maybe_unused]] std::ptrdiff_t most) noexcept {
    ASTD_ASSERT(n <= most - permits(state), "more permits were released than the semaphore can have");
  }
  // True if taken, without a look at the line.
  bool take(std::ptrdiff_t n) noexcept {
    wait_queue::word seen = queue_.state().load(std::memory_order_relaxed);
    while (!(seen & (wait_queue::flags | closed)) && permits(seen) >= n)
      // acquire: what was done before they were released.
      if (queue_.state().compare_exchange_weak(seen, seen - words(n), std::memory_order_acquire,
                                               std::memory_order_relaxed))
        return true;
    return false;
  }
  void give_slowly(std::ptrdiff_t n, std::ptrdiff_t most) noexcept;

 public:
  /// No semaphore has more.
  static constexpr std::ptrdiff_t most_permits = PTRDIFF_MAX / static_cast<std::ptrdiff_t>(2 * permit);

 private:
  wait_queue queue_;
};

}  // namespace detail

/// A semaphore that never has more than `LeastMaxValue` permits: see its base for what it does.
template <std::ptrdiff_t LeastMaxValue = detail::semaphore::most_permits>
class counting_semaphore final : public detail::semaphore {
  static_assert(LeastMaxValue >= 0 && LeastMaxValue <= most_permits);

 public:
  [[nodiscard]] static constexpr std::ptrdiff_t max() noexcept { return LeastMaxValue; }
  /// `permits`: how many there are at first. `name` is shown by dump_tasks(); it must outlive the semaphore.
  explicit constexpr counting_semaphore(std::ptrdiff_t permits, const char* name = nullptr) noexcept
      : semaphore(permits, name) {
    ASTD_ASSERT(permits >= 0 && permits <= LeastMaxValue,
                "a semaphore was made with more permits than it can have");
  }
  /// Gives `n` permits back, or adds them.
  void release(std::ptrdiff_t n = 1) noexcept { give(n, LeastMaxValue); }
};

using binary_semaphore = counting_semaphore<1>;

/// Permits of a semaphore, given back when this is destroyed. Movable; may be given to other tasks and threads.
class [[nodiscard]] semaphore_permit {
 public:
  /// Holds none.
  semaphore_permit() noexcept = default;
  semaphore_permit(semaphore_permit&& other) noexcept
      : of_(std::exchange(other.of_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  semaphore_permit& operator=(semaphore_permit&& other) noexcept {
    semaphore_permit taken(std::move(other));
    std::swap(of_, taken.of_);
    std::swap(count_, taken.count_);
    return *this;
  }
  ~semaphore_permit() { release(); }

  /// Gives them back now; again is without effect.
  void release() noexcept {
    const std::ptrdiff_t n = std::exchange(count_, 0);
    if (detail::semaphore* const s = std::exchange(of_, nullptr)) s->give(n, detail::semaphore::most_permits);
  }
  /// They are not given back: the semaphore has fewer from now on, until somebody releases more. How many they were.
  std::ptrdiff_t forget() noexcept {
    of_ = nullptr;
    return std::exchange(count_, 0);
  }
  /// Takes over another's, of the same semaphore.
  void merge(semaphore_permit other) noexcept {
    ASTD_ASSERT(!of_ || !other.of_ || of_ == other.of_, "permits of two semaphores were merged");
    if (other.of_) of_ = other.of_;
    count_ += other.forget();
  }
  /// Parts with `n` of them, at most all.
  [[nodiscard]] semaphore_permit split(std::ptrdiff_t n) noexcept {
    ASTD_ASSERT(n >= 0 && n <= count_, "more permits were split off than there are");
    count_ -= n;
    return semaphore_permit(of_, n);
  }
  [[nodiscard]] std::ptrdiff_t count() const noexcept { return count_; }

 private:
  friend class detail::semaphore;
  template <class Value>
  friend class detail::acquire_awaiter;
  semaphore_permit(detail::semaphore* of, std::ptrdiff_t n) noexcept : of_(of), count_(n) {}
  detail::semaphore* of_ = nullptr;
  std::ptrdiff_t count_ = 0;
};

namespace detail {

class acquire_waiter : public waiter {
 protected:
  acquire_waiter(semaphore& s, std::ptrdiff_t n) noexcept : waiter(s.queue_), semaphore_(s), count_(n) {
    ASTD_ASSERT(n >= 0, "less than no permits were asked for");
  }
  ~acquire_waiter() = default;
  [[nodiscard]] bool take_now() noexcept { return semaphore_.take(count_); }
  bool admit(wait_queue::word& state) noexcept override;
  void describe(std::string& out, unsigned depth) const override;
  [[nodiscard]] failure closed() const noexcept;

  semaphore& semaphore_;
  const std::ptrdiff_t count_;
  bool refused_ = false;
};

/// Value: void, or semaphore_permit.
template <class Value>
class acquire_awaiter final : public acquire_waiter, public awaiter_base<acquire_awaiter<Value>> {
 public:
  using value_type = Value;
  acquire_awaiter(semaphore& s, std::ptrdiff_t n) noexcept : acquire_waiter(s, n) {}
  bool await_ready() noexcept { return take_now(); }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<Value> take() noexcept {
    resumed();
    outcome<Value> out;
    if (refused_) [[unlikely]]
      out.set_failure(closed());
    else if constexpr (std::is_void_v<Value>)
      out.set_value();
    else
      out.set_value(semaphore_permit(&semaphore_, count_));
    return out;
  }
};

class acquire_awaitable {
 public:
  acquire_awaitable(semaphore& s, std::ptrdiff_t n) noexcept : semaphore_(s), count_(n) {}
  auto operator co_await() const noexcept { return acquire_awaiter<void>(semaphore_, count_); }

 private:
  semaphore& semaphore_;
  std::ptrdiff_t count_;
};

class permit_awaitable {
 public:
  permit_awaitable(semaphore& s, std::ptrdiff_t n) noexcept : semaphore_(s), count_(n) {}
  auto operator co_await() const noexcept { return acquire_awaiter<semaphore_permit>(semaphore_, count_); }

 private:
  semaphore& semaphore_;
  std::ptrdiff_t count_;
};

inline acquire_awaitable semaphore::acquire(std::ptrdiff_t n) noexcept { return acquire_awaitable(*this, n); }
inline permit_awaitable semaphore::acquire_permit(std::ptrdiff_t n) noexcept { return permit_awaitable(*this, n); }

inline std::optional<semaphore_permit> semaphore::try_acquire_permit(std::ptrdiff_t n) noexcept {
  if (!try_acquire(n)) return std::nullopt;
  return semaphore_permit(this, n);
}

/// One permit within a time, and whether it came.
class timed_acquire {
  [[nodiscard]] auto wait() const {
    auto try_now = [&s = semaphore_] { return s.try_acquire_permit(); };
    return timed_wait(limit_, permit_awaitable(semaphore_, 1), try_now);
  }
  static bool kept(std::optional<semaphore_permit> permit) noexcept { return permit && permit->forget() == 1; }

 public:
  timed_acquire(semaphore& s, const time_limit& limit) noexcept : semaphore_(s), limit_(limit) {}
  auto operator co_await() const { return map_awaiter(wait(), &kept); }
  [[nodiscard]] bool on_thread() const { return kept(wait().on_thread()); }

 private:
  semaphore& semaphore_;
  time_limit limit_;
};

template <class Rep, class Period>
auto semaphore::try_acquire_for(std::chrono::duration<Rep, Period> d) noexcept {
  return timed_acquire(*this, time_limit(d));
}
template <class Clock, class Duration>
auto semaphore::try_acquire_until(std::chrono::time_point<Clock, Duration> tp) noexcept {
  return timed_acquire(*this, time_limit(tp));
}
template <class Rep, class Period>
bool semaphore::try_acquire_for_blocking(std::chrono::duration<Rep, Period> d) {
  return try_acquire_for(d).on_thread();
}
template <class Clock, class Duration>
bool semaphore::try_acquire_until_blocking(std::chrono::time_point<Clock, Duration> tp) {
  return try_acquire_until(tp).on_thread();
}

}  // namespace detail
}  // namespace astd
