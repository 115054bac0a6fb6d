// What a lock gives: the right to what it protects, until the guard goes.
#pragma once

#include <utility>

namespace astd::detail {

/// Holds a lock of an L. Movable; may be given to other tasks and threads.
template <class L>
class [[nodiscard]] lock_guard {
 public:
  /// Holds nothing.
  lock_guard() noexcept = default;
  /// Takes over a lock that is held.
  explicit lock_guard(L& lock) noexcept : lock_(&lock) {}
  lock_guard(lock_guard&& other) noexcept : lock_(other.release()) {}
  lock_guard& operator=(lock_guard&& other) noexcept {
    lock_guard(std::move(other)).swap(*this);
    return *this;
  }
  ~lock_guard() {
    if (lock_) lock_->unlock();
  }

  /// Lets go now. Afterwards it holds nothing; again is without effect.
  void unlock() noexcept {
    if (L* const held = release()) held->unlock();
  }
  /// Forgets the lock, which stays held. What was held, or null.
  [[nodiscard]] L* release() noexcept { return std::exchange(lock_, nullptr); }
  void swap(lock_guard& other) noexcept { std::swap(lock_, other.lock_); }

  [[nodiscard]] bool owns_lock() const noexcept { return lock_ != nullptr; }
  [[nodiscard]] explicit operator bool() const noexcept { return owns_lock(); }
  /// What it holds, or null.
  [[nodiscard]] L* mutex() const noexcept { return lock_; }

 private:
  L* lock_ = nullptr;
};

}  // namespace astd::detail
