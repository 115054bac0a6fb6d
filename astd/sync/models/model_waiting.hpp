// For models of what tasks wait in: the queue of waiters, whose spinning tells Relacy that somebody else must go on, and
// nothing in the place of what a plain thread would wait with.
#pragma once

// clang-format off: the standard's headers cannot be read under Relacy's macros.
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include <astd/base/assert.cpp>
#include <astd/base/error.cpp>
#include <astd/base/models/model_threads.hpp>
#include <astd/coro/chain.cpp>
#include <astd/sync/owner.cpp>
#include <astd/sync/wait_on_thread.hpp>
#include <astd/sync/wait_queue.cpp>
// clang-format on

namespace astd::detail {

wait_queue::word wait_queue::lock_slowly() noexcept {
  word state;
  do rl::yield(1, $);
  while (!try_lock(state));
  return state;
}

bool is_in_runtime() noexcept { return false; }
runtime_core& current_core() { std::abort(); }
blocking_root::entry::entry(runtime_core& core) : core_(core), outer_(nullptr) {}
blocking_root::entry::~entry() = default;
blocking_root::blocking_root(runtime_core& core) : entry_(core), task_(default_executor()) {}
blocking_root::~blocking_root() = default;
void blocking_root::run(resumable*) noexcept {}
void blocking_root::ended(resumable*) {}
thread_wait::thread_wait() noexcept : root_(&ended, *this, false), outer_(nullptr) {}
thread_wait::~thread_wait() = default;
void thread_wait::run(resumable*) noexcept {}
void thread_wait::run_until(resumable*, std::chrono::steady_clock::time_point) noexcept {}
void thread_wait::schedule(resumable&, urgency) noexcept {}
void thread_wait::ended(resumable*) {}
executor& default_executor() noexcept { std::abort(); }

}  // namespace astd::detail
