#include <astd/base/assert.hpp>
#include <astd/base/error.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/runtime/loop.hpp>
#include <astd/runtime/simulation.hpp>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

namespace astd::detail {

void loop::open() {
  if (is_open()) return;
  driver::selected made = driver::make_driver(options_);
  if (!made.value) {
    // The error's own text is at the end of most, and follows in any case.
    std::string_view reason = made.reason;
    if (const std::string text = ": " + made.error.message(); reason.ends_with(text))
      reason.remove_suffix(text.size());
    throw_failure(failure(made.error, "driver:", reason));
  }
  spin_guard guard(lock_);
  reason_ = std::move(made.reason);
  owned_driver_ = seat_ ? seat_->stand_before(std::move(made.value)) : std::move(made.value);
  // release: pairs with the loads of other threads. Until now the owner has not slept, so there was nobody to wake.
  driver_.store(owned_driver_.get(), std::memory_order_release);
}

bool loop::try_open() noexcept {
#if ASTD_HAS_EXCEPTIONS
  try {
#endif
    open();
    return true;
#if ASTD_HAS_EXCEPTIONS
  } catch (...) {  // no descriptors, no memory
    return false;
  }
#endif
}

bool loop::submit(driver::operation& op) noexcept {
  spin_guard guard(lock_);
  if (op.cancel_asked) [[unlikely]] {
    op.result = -ECANCELED;
    return true;
  }
  return driver_.load(std::memory_order_relaxed)->submit(op);
}

void loop::cancel(driver::operation& op) noexcept {
  if (options_.machine) {
    const simulation::entry inside(simulation::of(options_.machine->in()));
    cancel_inside(op);
  } else {
    cancel_inside(op);
  }
}

void loop::cancel_inside(driver::operation& op) noexcept {
  {
    spin_guard guard(lock_);
    if (!op.in_flight) {
      op.cancel_asked = true;
      return;
    }
    driver_.load(std::memory_order_relaxed)->cancel(op);
  }
  if (this_threads_loop() != this) wake();
}

namespace {
// The deadline of a timer that was disarmed before it was armed.
constexpr instant refused = INT64_MIN;
}  // namespace

bool loop::arm(timer& t) noexcept {
  spin_guard guard(lock_);
  if (t.deadline == refused) return false;
  timers_.insert(t);
  return true;
}

bool loop::disarm(timer& t) noexcept {
  spin_guard guard(lock_);
  if (timers_.remove(t)) return true;
  t.deadline = refused;
  return false;
}

bool loop::take_back(timer& t) noexcept {
  spin_guard guard(lock_);
  return timers_.remove(t);
}

void loop::insert_and_unlock(timer& t, instant deadline) noexcept {
  timers_.remove(t);
  const bool first = deadline < timers_.next_deadline();
  t.deadline = deadline;
  timers_.insert(t);
  lock_.unlock();
  if (first && this_threads_loop() != this) wake();
}

bool loop::set(timer& t, instant deadline) noexcept {
  lock_.lock();
  if (t.deadline == refused) {
    lock_.unlock();
    return false;
  }
  insert_and_unlock(t, deadline);
  return true;
}

void loop::move(timer& t, instant deadline) noexcept {
  lock_.lock();
  if (t.linked())
    insert_and_unlock(t, deadline);
  else
    lock_.unlock();
}

instant loop::earliest_deadline() noexcept {
  spin_guard guard(lock_);
  return timers_.earliest_deadline();
}

bool loop::poll(bool owner) noexcept {
  driver::driver* const d = driver_.load(std::memory_order_acquire);
  if (!d) return false;  // the monitor may come before the owner has opened it
  driver::completions done;
  intrusive_list<timer> expired;
  {
    spin_guard guard(lock_);
    d->collect(done, owner);
    if (timers_.next_deadline() != never) timers_.advance(d->now(), expired);
  }
  bool any = false;
  while (driver::operation* op = done.pop_front()) {
    any = true;
    op->completed(*op);
  }
  unsigned fired = 0;
  for (; timer* due = take_due(expired, fired); ++fired) due->fired(*due);
  return any || fired != 0;
}

// An expired timer can still be taken back (disarm) until it is unlinked, so that is done under the lock.
timer* loop::take_due(intrusive_list<timer>& expired, unsigned fired) noexcept {
  spin_guard guard(lock_);
  timer* const due = expired.pop_front();
  if (due)
    due->prefetch_later();
  else if (fired > few_timers)
    next_bunch_ = now() + between_bunches;
  return due;
}

bool loop::ready() const noexcept { return driver_.load(std::memory_order_relaxed)->ready(); }

bool loop::wait() noexcept {
  driver::driver* const d = driver_.load(std::memory_order_relaxed);
  instant until;
  {
    spin_guard guard(lock_);
    d->prepare_wait();
    until = timers_.next_deadline();
    if (until != never) until = std::max(until, next_bunch_);
  }
  d->wait(until);
  return until != never && d->now() >= until;
}

void loop::wake() noexcept {
  if (driver::driver* d = driver_.load(std::memory_order_acquire)) d->wake();
}

std::string loop::reason() const {
  spin_guard guard(lock_);
  return reason_;
}

loop& current_loop() noexcept {
  loop* const l = this_threads_loop();
  ASTD_ASSERT(l, "this needs a thread that runs astd: a task, or block_on");
  return *l;
}

}  // namespace astd::detail
