// What a lock gives: the right to what it protects, until the guard goes.
#pragma once

#include <astd/base/assert.hpp>
#include <astd/sync/mapped.hpp>

#include <utility>

namespace astd::detail {

/// Holds an L, as std::unique_lock. Movable; may be given to other tasks and threads. `Way` says how it is held: lock(),
/// try_lock() and unlock() of an L.
template <class L, class Way>
class [[nodiscard]] lock_guard {
 public:
  /// Holds nothing.
  lock_guard() noexcept = default;
  /// Takes over a lock that is held in this way.
  explicit lock_guard(L& held) noexcept : lock_(&held), owns_(true) {}
  lock_guard(lock_guard&& other) noexcept
      : lock_(std::exchange(other.lock_, nullptr)), owns_(std::exchange(other.owns_, false)) {}
  lock_guard& operator=(lock_guard&& other) noexcept {
    lock_guard(std::move(other)).swap(*this);
    return *this;
  }
  ~lock_guard() {
    if (owns_) Way::unlock(*lock_);
  }

  /// Lets go now. Afterwards it holds nothing, but knows its lock; again is without effect.
  void unlock() noexcept {
    if (std::exchange(owns_, false)) Way::unlock(*lock_);
  }
  /// `co_await guard.lock();` Takes the lock again after unlock(). The guard outlives the await. Cancelled, it holds
  /// nothing.
  [[nodiscard]] auto lock() noexcept {
    ASTD_ASSERT(lock_ && !owns_, "a guard was locked that has no lock, or holds it");
    auto keep = [this](lock_guard taken) { swap(taken); };
    return mapped(Way::lock(*lock_), keep);
  }
  /// The same if that can be done at once. False if not.
  [[nodiscard]] bool try_lock() noexcept {
    ASTD_ASSERT(lock_ && !owns_, "a guard was locked that has no lock, or holds it");
    if (auto taken = Way::try_lock(*lock_)) lock_guard(std::move(*taken)).swap(*this);
    return owns_;
  }
  /// As lock(), for plain threads.
  void lock_blocking() {
    ASTD_ASSERT(lock_ && !owns_, "a guard was locked that has no lock, or holds it");
    lock_guard(Way::lock_blocking(*lock_)).swap(*this);
  }
  /// Forgets the lock, which stays held. What was held, or null.
  [[nodiscard]] L* release() noexcept {
    L* const had = std::exchange(lock_, nullptr);
    return std::exchange(owns_, false) ? had : nullptr;
  }
  void swap(lock_guard& other) noexcept {
    std::swap(lock_, other.lock_);
    std::swap(owns_, other.owns_);
  }
  friend void swap(lock_guard& a, lock_guard& b) noexcept { a.swap(b); }

  [[nodiscard]] bool owns_lock() const noexcept { return owns_; }
  [[nodiscard]] explicit operator bool() const noexcept { return owns_; }
  /// What it holds, or held before unlock(); or null.
  [[nodiscard]] L* mutex() const noexcept { return lock_; }

 private:
  L* lock_ = nullptr;
  bool owns_ = false;
};

}  // namespace astd::detail
