// A thread that looks at the workers every few milliseconds while any of them is awake. For a worker that stays in one
// task it does what the worker cannot: takes in its events and timers, passes on the task that was to run next, asks
// the task to yield at its next operation, and reports the stall. When all workers sleep it sleeps, too.
#pragma once

#include <astd/base/instant.hpp>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace astd::detail {

class runtime_core;

class monitor {
 public:
  explicit monitor(runtime_core& runtime) noexcept : runtime_(runtime) {}
  void start();
  void stop() noexcept;
  void note_activity() noexcept {
    // seq_cst: pairs with the monitor's store of asleep_, after which it looks at the workers once more.
    if (asleep_.load(std::memory_order_seq_cst)) wake();
  }
  [[nodiscard]] std::uint64_t stalls() const noexcept { return stalls_.load(std::memory_order_relaxed); }

 private:
  struct seen {
    std::uint64_t turns = ~std::uint64_t(0);  // not looked at yet
    instant since = 0;
    bool counted = false;
    bool reported = false;
  };
  void run() noexcept;
  bool look(instant now) noexcept;
  void wake() noexcept;

  runtime_core& runtime_;
  std::vector<seen> seen_;
  std::atomic<bool> asleep_{false};
  std::atomic<bool> stop_{false};
  std::atomic<std::uint32_t> signal_{0};
  std::atomic<std::uint64_t> stalls_{0};
  std::thread thread_;
};

}  // namespace astd::detail
