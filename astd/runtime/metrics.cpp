#include <astd/runtime/metrics.hpp>

#include <fmt/format.h>

namespace astd {

worker_metrics runtime_metrics::total() const noexcept {
  worker_metrics sum;
  for (const worker_metrics& w : workers) {
    sum.polls += w.polls;
    sum.parks += w.parks;
    sum.steals += w.steals;
    sum.stolen += w.stolen;
    sum.forced_yields += w.forced_yields;
    sum.queued += w.queued;
    sum.operations += w.operations;
    sum.inline_done += w.inline_done;
    sum.completed += w.completed;
    sum.cancelled += w.cancelled;
    sum.system_calls += w.system_calls;
  }
  return sum;
}

std::string runtime_metrics::to_string() const {
  std::string out;
  auto to = std::back_inserter(out);
  fmt::format_to(to, "runtime '{}' on {} ({})\n", name, driver, driver_reason);
  fmt::format_to(
      to, "tasks: {} spawned, {} alive, {} injected; blocking: {} threads, {} queued, {} done; stalls: {}\n",
      tasks_spawned, tasks_alive, injected, blocking_threads, blocking_queued, blocking_completed, stalls);
  fmt::format_to(to, "{:>8}{:>12}{:>9}{:>9}{:>9}{:>9}{:>8}{:>11}{:>11}{:>11}{:>11}\n", "worker", "polls", "parks",
                 "steals", "stolen", "yielded", "queued", "operations", "at once", "cancelled", "syscalls");
  const auto line = [&](std::string_view label, const worker_metrics& w) {
    fmt::format_to(to, "{:>8}{:>12}{:>9}{:>9}{:>9}{:>9}{:>8}{:>11}{:>11}{:>11}{:>11}\n", label, w.polls, w.parks,
                   w.steals, w.stolen, w.forced_yields, w.queued, w.operations, w.inline_done, w.cancelled,
                   w.system_calls);
  };
  for (std::size_t i = 0; i < workers.size(); ++i) line(std::to_string(i), workers[i]);
  if (workers.size() > 1) line("all", total());
  return out;
}

}  // namespace astd
