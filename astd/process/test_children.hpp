// For tests: what children this process has.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/runtime/this_task.hpp>

#include <chrono>

#include <sys/wait.h>

namespace astd::test {

/// Whether this process has a child with that number, running or defunct.
inline bool has_child(int pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/// Waits until it has none, as it will for certain.
inline task<> no_child(int pid) {
  while (has_child(pid)) co_await this_task::sleep_for(std::chrono::milliseconds(1));
}

/// The same of all children: what is killed is reaped in the background.
inline task<> no_children() {
  siginfo_t info{};
  while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
    co_await this_task::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace astd::test
