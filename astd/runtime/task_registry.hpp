// The tasks that have begun on one worker and were suspended there first: for dumps, and to end them all. And how many
// there are, with those that are ready but have not begun, and those that have never been suspended.
#pragma once

#include <astd/base/config.hpp>
#include <astd/base/intrusive_list.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/coro/task_header.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace astd::detail {

class runtime_core;

class alignas(cache_line_pair) task_registry {
 public:
  /// `shared`: several threads count here, not only the worker whose it is.
  task_registry(runtime_core& of, bool shared) noexcept : runtime_(of), shared_(shared) {}
  [[nodiscard]] runtime_core& runtime() const noexcept { return runtime_; }

  /// False: the runtime is closing; the task is to end.
  bool add(task_header& t) noexcept {
    t.registry = this;
    spin_guard guard(lock_);
    tasks_.push_back(t);
    return !closed();
  }
  /// Any thread.
  void remove(task_header& t) noexcept {
    spin_guard guard(lock_);
    intrusive_list<task_header>::erase(t);
  }

  /// f(task) for each, under the lock: f resumes nothing.
  template <class F>
  void each(F&& f) {
    spin_guard guard(lock_);
    for (task_header* t = tasks_.front(); t; t = tasks_.after(*t)) f(*t);
  }
  /// Before the tasks in here are asked to end: those that are not yet in here see it when they come.
  void set_closed(bool closed) noexcept {
    spin_guard guard(lock_);
    closed_.store(closed, std::memory_order_relaxed);
  }
  /// A hint, but under the lock.
  [[nodiscard]] bool closed() const noexcept { return closed_.load(std::memory_order_relaxed); }

  // Where a task is counted when it is launched and when it has ended need not be the same; only the sums over all
  // registries agree. By the owner, or by anyone if shared.
  void count_launched() noexcept { count(launched_); }
  void count_ended() noexcept { count(ended_); }
  /// Those of a registry that goes, all of whose tasks have ended. Only if shared.
  void take_counts(const task_registry& from) noexcept {
    launched_.fetch_add(from.launched(), std::memory_order_release);
    ended_.fetch_add(from.ended(), std::memory_order_release);
  }
  [[nodiscard]] std::uint64_t launched() const noexcept { return launched_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t ended() const noexcept { return ended_.load(std::memory_order_acquire); }

 private:
  void count(std::atomic<std::uint64_t>& n) noexcept {
    // release: pairs with the acquire above; who sees a task counted as ended sees that its destructors have run.
    if (shared_)
      n.fetch_add(1, std::memory_order_release);
    else
      n.store(n.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  runtime_core& runtime_;
  spin_lock lock_;
  std::atomic<bool> closed_{false};
  const bool shared_;
  intrusive_list<task_header> tasks_;
  std::atomic<std::uint64_t> launched_{0};
  std::atomic<std::uint64_t> ended_{0};
};

/// Where a task that this thread runs belongs.
task_registry& registry_of(const task_header& t) noexcept;

}  // namespace astd::detail
