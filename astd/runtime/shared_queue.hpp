// A queue of resumables for any number of threads: for what comes from outside, and for what does not fit a worker's
// ring. Unbounded without allocating: the items carry their links.
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/base/config.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/coro/resumable.hpp>
#include <astd/runtime/work_queue.hpp>

#include <cstddef>

namespace astd::detail {

class alignas(cache_line_pair) shared_queue {
 public:
  /// Behind all others.
  void push_back(const work_chain<resumable>& items) noexcept {
    spin_guard guard(lock_);
    items.last->next_ = nullptr;
    (last_ ? last_->next_ : first_) = items.first;
    last_ = items.last;
    grow(items.count);
  }
  /// Before all others, in the given order.
  void push_front(const work_chain<resumable>& items) noexcept {
    spin_guard guard(lock_);
    items.last->next_ = first_;
    if (!last_) last_ = items.last;
    first_ = items.first;
    grow(items.count);
  }
  void push_back(resumable& r) noexcept { push_back(work_chain<resumable>{&r, &r, 1}); }

  /// At most `most` from the front; an empty chain if there are none.
  work_chain<resumable> pop(std::size_t most) noexcept {
    work_chain<resumable> items;
    if (empty()) return items;
    spin_guard guard(lock_);
    if (!first_) return items;
    items.first = items.last = first_;
    items.count = 1;
    while (items.count < most && items.last->next_) {
      items.last = items.last->next_;
      ++items.count;
    }
    first_ = items.last->next_;
    if (!first_) last_ = nullptr;
    items.last->next_ = nullptr;
    size_.store(size_.load(std::memory_order_relaxed) - items.count, std::memory_order_relaxed);
    return items;
  }

  /// seq_cst: a worker going to sleep asks after it has said so, a pusher looks for sleepers after it has pushed.
  [[nodiscard]] bool empty() const noexcept { return size_.load(std::memory_order_seq_cst) == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  void grow(std::size_t by) noexcept {
    size_.store(size_.load(std::memory_order_relaxed) + by, std::memory_order_seq_cst);
  }
  spin_lock lock_;
  resumable* first_ = nullptr;
  resumable* last_ = nullptr;
  atomic<std::size_t> size_{0};
};

}  // namespace astd::detail
