// What join, race and select do when a branch has ended; the rest of them is in composite.cpp.
#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/select.hpp>

namespace astd::detail {
namespace {

// True for the first to come. relaxed: the awaiter reads it after all branches have ended, which the count of
// remaining branches orders.
bool first_in(atomic<branch_base*>& place, branch_base& b) noexcept {
  branch_base* none = nullptr;
  return place.compare_exchange_strong(none, &b, std::memory_order_relaxed);
}

}  // namespace

resumable* join_base::branch_ended(branch_base& b) noexcept {
  if (b.failed() && first_in(failed_, b) && cancels_) cancel_others(&b);
  return nullptr;
}

bool join_base::has_outcome() const noexcept {
  if (failed()) return true;
  for (const branch_base* b = first(); b; b = following(*b))
    if (!b->has_value()) return false;
  return true;
}

resumable* race_base::start_race(const await_context& c) noexcept {
  if (!first()) retain();  // nothing in it could ever end it
  return start_branches(c);
}

// A try_race that is cancelled has asked its branches to stop. One that did might have succeeded: the failures of the
// others are not the whole's then.
bool race_base::has_outcome() const noexcept {
  if (winner_.load(std::memory_order_relaxed)) return true;
  if (!winner()) return false;
  if (!in()->cancel_requested()) return true;
  for (const branch_base* b = first(); b; b = following(*b))
    if (!b->failed()) return false;
  return true;
}

void race_base::stop_more() noexcept {
  // Null: the request is still under way, and whoever makes it goes on.
  if (!first()) (void)release();
}

// Who has lost passes on what it was given, even if the winner has not come so far as to ask it to stop. (try_race knows
// only afterwards who has won: there it is lost, as any value that comes at the same moment.)
void race_base::settling(branch_base& b) noexcept {
  if (!wants_success_ && !first_in(winner_, b)) b.request_cancel();
}

resumable* race_base::branch_ended(branch_base& b) noexcept {
  if (b.stopped()) return nullptr;
  if (!wants_success_) {
    if (winner_.load(std::memory_order_relaxed) == &b) cancel_others(&b);
  } else if (b.failed()) {
    last_failed_.store(&b, std::memory_order_relaxed);
  } else if (first_in(winner_, b)) {
    cancel_others(&b);
  }
  return nullptr;
}

resumable* select_base::branch_ended(branch_base& b) noexcept {
  if (b.stopped()) return nullptr;
  if (b.failed()) first_in(failed_, b);
  if (!any_.exchange(true, std::memory_order_relaxed)) cancel_others(&b);
  return nullptr;
}

}  // namespace astd::detail
