// What astd keeps for each thread, for the threads that Relacy plays: all of them are one to the system. And a lock's
// waiting, which has to tell Relacy that somebody else must go on first.
#pragma once

#include <astd/base/models/model_atomic.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/coro/chain.hpp>

// The variable's declaration and definition become those of a function that returns a pointer to it.
#define this_thread_state (*state_of_this_thread())
#define thread_local
#define constinit
#include <astd/coro/resumable.cpp>
#undef constinit
#undef thread_local

namespace astd {
namespace models {

inline detail::thread_state thread_states[8];
/// The suite that is played, for functions that are given something else to find their way by.
inline void* current = nullptr;

/// For each suite's before(): nothing is left of an execution that failed.
inline void new_threads() {
  for (detail::thread_state& s : thread_states) s = {};
  beforehand = nullptr;
}

}  // namespace models

namespace detail {

thread_state* state_of_this_thread() { return &models::thread_states[rl::thread_index()]; }

void spin_lock::lock_slowly() noexcept {
  do rl::yield(1, $);
  while (!try_lock());
}

}  // namespace detail
}  // namespace astd
