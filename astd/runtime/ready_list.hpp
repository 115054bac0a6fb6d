// A list of ready resumables for one thread alone, taken from the front.
#pragma once

#include <astd/coro/resumable.hpp>

#include <atomic>
#include <cstddef>

namespace astd::detail {

class ready_list {
 public:
  [[nodiscard]] bool empty() const noexcept { return !first_; }
  [[nodiscard]] resumable* front() const noexcept { return first_; }
  /// Any thread.
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

  void push_front(resumable& r) noexcept {
    r.next_ = first_;
    first_ = &r;
    if (!last_) last_ = &r;
    resize(1);
  }
  void push_back(resumable& r) noexcept {
    r.next_ = nullptr;
    (last_ ? last_->next_ : first_) = &r;
    last_ = &r;
    resize(1);
  }
  resumable* pop_front() noexcept {
    resumable* const r = first_;
    if (!r) return nullptr;
    first_ = r->next_;
    if (!first_) last_ = nullptr;
    resize(std::size_t(0) - 1);
    return r;
  }
  /// Moves all of `other` behind our last.
  void splice_back(ready_list& other) noexcept {
    if (other.empty()) return;
    (last_ ? last_->next_ : first_) = other.first_;
    last_ = other.last_;
    resize(other.size());
    other.first_ = other.last_ = nullptr;
    other.size_.store(0, std::memory_order_relaxed);
  }

 private:
  // Written by one thread; others may look at it.
  void resize(std::size_t by) noexcept {
    size_.store(size_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  resumable* first_ = nullptr;
  resumable* last_ = nullptr;
  std::atomic<std::size_t> size_{0};
};

}  // namespace astd::detail
