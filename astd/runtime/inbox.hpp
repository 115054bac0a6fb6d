// What other threads have for one worker alone: a list that they push to and it takes whole, and whether the worker is
// awake, so that it is woken only if it is not.
//
//   if (inbox.push(item)) wake the owner                                     // anyone
//   for (item* i = inbox.take(); i; i = i->next_) ...                        // the owner
//   inbox.fall_asleep(); if (inbox.empty()) sleep; inbox.wake_up();          // the owner
//
// No wake is lost: a pusher pushes and then asks whether the owner sleeps, the owner says that it sleeps and then looks
// at the list, all of it sequentially consistent: one of the two sees the other.
#pragma once

#include <astd/base/atomic.hpp>

namespace astd::detail {

/// T has a member `T* next_`.
template <class T>
class inbox {
 public:
  /// True: the owner is to be woken.
  [[nodiscard]] bool push(T& item) noexcept {
    T* newest = newest_.load(std::memory_order_relaxed);
    do {
      item.next_ = newest;
      // As a release it pairs with the exchange in take().
    } while (!newest_.compare_exchange_weak(newest, &item, std::memory_order_seq_cst, std::memory_order_relaxed));
    return !awake_.load(std::memory_order_seq_cst);
  }

  /// All there is, the newest first. The owner.
  [[nodiscard]] T* take() noexcept {
    if (!newest_.load(std::memory_order_relaxed)) return nullptr;
    return newest_.exchange(nullptr, std::memory_order_acquire);
  }
  [[nodiscard]] bool empty() const noexcept { return newest_.load(std::memory_order_seq_cst) == nullptr; }

  void fall_asleep() noexcept { awake_.store(false, std::memory_order_seq_cst); }
  void wake_up() noexcept { awake_.store(true, std::memory_order_seq_cst); }
  [[nodiscard]] bool awake() const noexcept { return awake_.load(std::memory_order_seq_cst); }

 private:
  atomic<T*> newest_{nullptr};
  atomic<bool> awake_{false};
};

}  // namespace astd::detail
