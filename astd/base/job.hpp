// A piece of work that waits in an intrusive queue for a thread that may block.
#pragma once

namespace astd::detail {

/// Lives in whatever waits for it, so queueing allocates nothing. `run` is called once, on a pool thread, and the
/// job must not be touched by the pool afterwards: it may be gone.
struct job {
  job* next = nullptr;
  job* previous = nullptr;
  void (*run)(job&) noexcept = nullptr;
  bool queued = false;    // guarded by the queue's lock
  bool unwanted = false;  // the same: was withdrawn while it was not queued
};

}  // namespace astd::detail
