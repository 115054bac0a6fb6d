// What floor 1 keeps for each thread.
#pragma once

#include <astd/coro/chain.hpp>
#include <astd/coro/resumable.hpp>

namespace astd::detail {

class composite;

struct thread_state {
  resumable* deferred = nullptr;  // what run() has still to resume
  bool inside_run = false;
  chain* current = nullptr;      // the chain that runs here
  running_note* note = nullptr;  // where to say so
  bool stopping = false;         // in composite::request_stop
  composite* to_stop = nullptr;  // asked meanwhile: its turn comes
};

/// Only for the sources of floor 1, out of line: see ASTD_NOINLINE in config.hpp.
extern constinit thread_local thread_state this_thread_state;

}  // namespace astd::detail
