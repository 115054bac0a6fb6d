// The tasks that were spawned on one worker and have not ended: for dumps, and to end them all.
#pragma once

#include <astd/base/config.hpp>
#include <astd/base/intrusive_list.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/coro/task_header.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace astd::detail {

class alignas(cache_line_pair) task_registry {
 public:
  /// False: the runtime is closing and the task is to be cancelled before it starts.
  bool add(task_header& t) noexcept {
    t.registry = this;
    spin_guard guard(lock_);
    tasks_.push_back(t);
    ++size_;
    ++spawned_;
    return !closed_;
  }
  void remove(task_header& t) noexcept {
    spin_guard guard(lock_);
    intrusive_list<task_header>::erase(t);
    --size_;
  }

  /// f(task) for each, under the lock: f resumes nothing.
  template <class F>
  void each(F&& f) {
    spin_guard guard(lock_);
    for (task_header* t = tasks_.front(); t; t = tasks_.after(*t)) f(*t);
  }
  void close() noexcept {
    spin_guard guard(lock_);
    closed_ = true;
  }
  [[nodiscard]] std::size_t size() const noexcept {
    spin_guard guard(lock_);
    return size_;
  }
  [[nodiscard]] std::uint64_t spawned() const noexcept {
    spin_guard guard(lock_);
    return spawned_;
  }

 private:
  mutable spin_lock lock_;
  bool closed_ = false;
  std::size_t size_ = 0;
  std::uint64_t spawned_ = 0;
  intrusive_list<task_header> tasks_;
};

}  // namespace astd::detail
