// Wakes a driver's owner from another thread, or from a signal handler: an eventfd and a flag that saves the system
// call when a wake is on its way already.
//
// The owner, in wait(): sleeps only if pending() says no, with descriptor() among what ends the sleep, and
// acknowledges afterwards. The flag is cleared there and nowhere else: whoever finds it set has published what he
// woke for before the owner clears it, so the owner sees it when it looks next. While the flag is set, the descriptor
// is readable, or will be at once, or the owner has taken that notice and will find the flag.
#pragma once

#include <astd/base/atomic.hpp>

namespace astd::driver {

/// A descriptor of our own, or -1 with errno, moved away from the numbers of standard input and output: where those are
/// closed, a program that prints would print into it.
[[nodiscard]] int above_standard(int descriptor) noexcept;

class wakeup {
 public:
  wakeup() = default;
  wakeup(const wakeup&) = delete;
  wakeup& operator=(const wakeup&) = delete;
  ~wakeup();

  /// 0 or a negated errno.
  [[nodiscard]] int open() noexcept;
  [[nodiscard]] int descriptor() const noexcept { return fd_; }

  /// Any thread, async-signal-safe.
  void signal() noexcept {
    // Release pairs with the acquire in acknowledge(), through any number of signals between.
    if (!pending_.exchange(true, std::memory_order_acq_rel)) write_one();
  }

  /// The owner is about to sleep. True: a wake came before, it must not. Relaxed: a wake that is overlooked here is
  /// in the descriptor.
  [[nodiscard]] bool pending() const noexcept { return pending_.load(std::memory_order_relaxed); }

  /// The owner is back: wakes until here are answered. Acquire pairs with the release in signal().
  void acknowledge() noexcept { pending_.exchange(false, std::memory_order_acq_rel); }

  /// Takes the wakes out of the descriptor, where its being readable would otherwise be reported again.
  void drain() noexcept;

 private:
  void write_one() noexcept;

  int fd_ = -1;
  detail::atomic<bool> pending_{false};
};

}  // namespace astd::driver
