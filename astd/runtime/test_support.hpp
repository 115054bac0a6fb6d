// For the tests of this floor: something to wait for, on threads and in tasks, and what an await ended with.
#pragma once

#include <astd/base/error.hpp>
#include <astd/coro/poll_fn.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/runtime/block_on.hpp>
#include <astd/runtime/this_task.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace astd::test {

/// Set once, on any thread; tasks and threads wait for it.
class flag {
 public:
  flag() = default;
  flag(const flag&) = delete;
  flag& operator=(const flag&) = delete;

  void set() {
    std::vector<waker> waiting;
    {
      std::lock_guard guard(lock_);
      set_ = true;
      waiting.swap(waiting_);
      // Under the lock: when a thread comes out of block(), this may be gone.
      changed_.notify_all();
    }
    for (const waker& w : waiting) w.wake();
  }
  [[nodiscard]] bool is_set() const {
    std::lock_guard guard(lock_);
    return set_;
  }
  /// For tasks. The flag outlives set().
  [[nodiscard]] task<> wait() {
    auto look = [this](const waker& w) {
      std::lock_guard guard(lock_);
      if (!set_) waiting_.push_back(w);
      return set_;
    };
    co_await poll_fn(look);
  }
  /// For threads.
  void block() {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return set_; });
  }

 private:
  mutable std::mutex lock_;
  std::condition_variable changed_;
  bool set_ = false;
  std::vector<waker> waiting_;
};

/// Lets a moment pass, on this thread; simulated, in the world.
inline void nap() {
  constexpr std::chrono::microseconds moment(200);
  if (driver::sim::machine::here())
    block_on(this_task::sleep_for(moment));
  else
    std::this_thread::sleep_for(moment);
}

/// Waits on a thread until `condition` holds: for what will come for certain.
template <class Condition>
void wait_until(Condition condition) {
  while (!condition()) nap();
}

/// Computes until `condition` holds: a task that does not let go of its worker.
template <class Condition>
void hold_until(Condition condition) {
  while (!condition()) {
  }
}

/// What an await ended with, as text: "value", or what the exception says of itself.
template <class A>
task<std::string> how_it_ends(A aw) {
  try {
    static_cast<void>(co_await static_cast<A&&>(aw));
  } catch (const std::exception& e) {
    co_return e.what();
  }
  co_return "value";
}

/// Whether it ended with an E.
template <class E, class A>
task<bool> ends_with(A aw) {
  try {
    static_cast<void>(co_await static_cast<A&&>(aw));
  } catch (const E&) {
    co_return true;
  } catch (...) {
  }
  co_return false;
}

/// Never ends by itself; its frame holds a counted.
inline task<> for_ever(flag* started = nullptr) {
  const counted local;
  if (started) started->set();
  co_await pending();
}

}  // namespace astd::test
