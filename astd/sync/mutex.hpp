// mutex: one task at a time, however long it takes, across awaits.
//
//   astd::mutex m;
//   auto guard = co_await m.lock();        // unlocked by guard's destructor
//   co_await save(file, state);            // held meanwhile
#pragma once

#include <astd/base/assert.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/coro/outcome.hpp>
#include <astd/sync/lock_guard.hpp>
#include <astd/sync/owner.hpp>
#include <astd/sync/wait_on_thread.hpp>
#include <astd/sync/wait_queue.hpp>

#include <optional>

namespace astd {

class mutex;
class condition_variable;
namespace detail {

/// How a mutex is held.
struct mutex_way {
  static void unlock(mutex& m) noexcept;
  static auto lock(mutex& m) noexcept;
  static auto try_lock(mutex& m) noexcept;
  static auto lock_blocking(mutex& m);
};

}  // namespace detail

/// Holds a mutex until it is destroyed or unlock() is called. Movable, may cross tasks and threads.
using mutex_guard = detail::lock_guard<mutex, detail::mutex_way>;

/// A lock for tasks. Fair: those who wait get it in the order in which they came, and whoever releases it hands it to
/// the first of them, so nobody who comes later overtakes. Not recursive: a task that locks it twice waits for itself,
/// which dump_tasks() shows. There is no poisoning: an exception releases the lock like any other end.
///
/// Every member may be called on any thread, tasks or not. The mutex outlives its guards and whoever waits for it; it
/// may be destroyed as soon as it is free and nobody waits, even by the task that was just given it.
class mutex {
  class lock_awaiter;

 public:
  constexpr mutex() noexcept = default;
  /// `name` is shown by dump_tasks(). It must outlive the mutex: usually a literal.
  explicit constexpr mutex(const char* name) noexcept : queue_(0, name) {}
  ~mutex() {
    ASTD_ASSERT(queue_.state().load(std::memory_order_relaxed) == 0, "a mutex was destroyed while in use");
  }

  /// Gives a guard: `auto guard = co_await m.lock();`. When it is free: one compare-exchange, and no suspension.
  /// Cancellation ends the wait at once; if the lock was just handed over, the guard is given, and the task stops at
  /// its next suspension, by which the guard is destroyed.
  [[nodiscard]] auto lock() noexcept;
  /// A guard if it is free, else nothing. Never waits, and does not fail without a reason.
  [[nodiscard]] std::optional<mutex_guard> try_lock() noexcept;
  /// As lock(), for plain threads: blocks the thread, and needs no runtime. Inside a task it holds up what the task is
  /// nested in: await lock() there.
  [[nodiscard]] mutex_guard lock_blocking();

 private:
  friend detail::mutex_way;
  friend condition_variable;
  static constexpr detail::wait_queue::word free = 0, locked = detail::wait_queue::one;

  bool acquire() noexcept {
    // acquire: what was done under the lock before.
    if (!queue_.change(free, locked, std::memory_order_acquire)) return false;
    owner_.set_here();
    return true;
  }
  void unlock() noexcept {
    // release: for the next one.
    if (!queue_.change(locked, free, std::memory_order_release)) [[unlikely]]
      unlock_slowly();
  }
  void unlock_slowly() noexcept;
  /// Under the queue's lock: whether it is free; then it is the chain's.
  bool hand_to(const detail::chain& c, detail::wait_queue::word& state) noexcept;

  detail::wait_queue queue_;
  detail::owner owner_;
};

class mutex::lock_awaiter final : public detail::waiter, public detail::awaiter_base<lock_awaiter> {
 public:
  using value_type = mutex_guard;
  explicit lock_awaiter(mutex& m) noexcept : waiter(m.queue_), mutex_(m) {}
  bool await_ready() noexcept { return mutex_.acquire(); }
  detail::resumable* start(const detail::await_context& c) noexcept { return wait(c); }
  detail::outcome<mutex_guard> take() noexcept {
    resumed();
    detail::outcome<mutex_guard> out;
    out.set_value(mutex_guard(mutex_));
    return out;
  }

 private:
  bool admit(detail::wait_queue::word& state) noexcept override;
  void describe(std::string& out, unsigned depth) const override;
  mutex& mutex_;
};

inline auto mutex::lock() noexcept {
  struct awaitable {
    mutex& m;
    lock_awaiter operator co_await() const noexcept { return lock_awaiter(m); }
  };
  return awaitable{*this};
}

inline void detail::mutex_way::unlock(mutex& m) noexcept { m.unlock(); }
inline auto detail::mutex_way::lock(mutex& m) noexcept { return m.lock(); }
inline auto detail::mutex_way::try_lock(mutex& m) noexcept { return m.try_lock(); }
inline auto detail::mutex_way::lock_blocking(mutex& m) { return m.lock_blocking(); }

}  // namespace astd
