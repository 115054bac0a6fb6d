// Waiting for what others in line may have seen already: a broadcast's message, a change of a watched value.
#pragma once

#include <astd/runtime/slice.hpp>
#include <astd/sync/wait_queue.hpp>

namespace astd::detail {

class arrival_waiter : public waiter {
 public:
  resumable* start(const await_context& c) noexcept {
    const bool has_time = has_time_;  // we may be gone behind wait()
    // At once, if there is something for us: those in line have seen that already.
    resumable* const next = wait(c, turn::at_once);
    if (has_time || !next) return next;
    c.in->on().schedule(*next, urgency::queued);
    return nullptr;
  }

 protected:
  using waiter::waiter;
  ~arrival_waiter() = default;
  /// To be called in await_ready(), first. False: the turn has been long, so others come first.
  [[nodiscard]] bool has_time() noexcept { return has_time_ = spend_slice(); }

 private:
  bool has_time_ = true;
};

}  // namespace astd::detail
