// What a runtime counts, always: the counters are plain words of the worker that writes them.
//
//   auto m = astd::runtime::current().metrics();
//   m.tasks_alive, m.total().steals ...
//   co_await astd::print("{}", m.to_string());
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace astd {

struct worker_metrics {
  std::uint64_t polls = 0;          // resumptions of tasks
  std::uint64_t parks = 0;          // times it went to sleep
  std::uint64_t steals = 0;         // times it took work from another worker
  std::uint64_t stolen = 0;         // tasks it took (batches count once)
  std::uint64_t forced_yields = 0;  // tasks that were asked to let others run
  std::size_t queued = 0;           // ready tasks in its queues now
  std::uint64_t operations = 0;     // handed to its driver
  std::uint64_t inline_done = 0;    // of these, ended at once
  std::uint64_t completed = 0;      // of these, ended later
  std::uint64_t cancelled = 0;      // of these, asked to stop
  std::uint64_t system_calls = 0;   // that the driver made
};

struct runtime_metrics {
  std::string name;
  std::string driver;               // "uring", "epoll"
  std::string driver_reason;        // why that one
  std::uint64_t tasks_spawned = 0;  // ever
  std::size_t tasks_alive = 0;      // spawned and not ended
  std::size_t injected = 0;         // ready tasks from outside, not yet taken by a worker
  std::size_t blocking_threads = 0;
  std::size_t blocking_queued = 0;
  std::uint64_t blocking_completed = 0;
  std::uint64_t stalls = 0;  // times a worker stayed in one task for longer than 10 ms, whatever stall_limit is
  std::vector<worker_metrics> workers;

  /// The workers' sum.
  [[nodiscard]] worker_metrics total() const noexcept;
  /// A short table for people.
  [[nodiscard]] std::string to_string() const;
};

}  // namespace astd
