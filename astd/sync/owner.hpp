// Who holds a lock: for dumps.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace astd::detail {

/// The task that holds something exclusively. A hint: the task may have passed it on, or have ended.
class owner {
 public:
  /// The running task, if a task runs on this thread.
  void set_here() noexcept { task_.store(running_task(), std::memory_order_relaxed); }
  void set(std::uint64_t task) noexcept { task_.store(task, std::memory_order_relaxed); }
  /// ", held by task 7", or by a thread.
  void describe(std::string& out) const;

 private:
  static std::uint64_t running_task() noexcept;
  std::atomic<std::uint64_t> task_{0};
};

}  // namespace astd::detail
