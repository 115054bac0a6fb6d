#include <astd/coro/poll_fn.hpp>

namespace astd {

waker::~waker() {
  // acq_rel: the last owner deletes what the others used.
  if (state_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete state_;
}

void waker::wake() const noexcept {
  detail::poller* due = nullptr;
  {
    detail::spin_guard guard(state_->lock);
    if (state_->waiting && state_->waiting->claim_turn()) due = state_->waiting;
  }
  // Without the lock, which the poll may want. It cannot end before the turn that we claimed.
  if (due) due->schedule_turn(detail::urgency::next);
}

namespace detail {

poller::poller() : turn_(&run_turn, this), waker_(new waker_state) { waker_.state_->waiting = this; }

poller::~poller() {
  spin_guard guard(waker_.state_->lock);
  waker_.state_->waiting = nullptr;
}

resumable* poller::start_polling(const await_context& c) noexcept {
  attach(c);
  if (!publish()) return stop();
  return rest();
}

// By the holder of the busy bit, after a poll without an outcome.
resumable* poller::rest() noexcept {
  // acq_rel: what a waker did before wake() is seen by the next poll, and the reverse.
  std::uint8_t seen = busy;
  if (state_.compare_exchange_strong(seen, 0, std::memory_order_acq_rel, std::memory_order_acquire)) return nullptr;
  if (seen & stopping) return finish(true);
  // Woken during the poll, perhaps by itself: whatever else is ready comes first.
  schedule_turn(urgency::queued);
  return nullptr;
}

resumable* poller::turn() noexcept {
  set_current_chain(in());
  if (state_.fetch_and(static_cast<std::uint8_t>(~again), std::memory_order_acq_rel) & stopping)
    return finish(true);
  if (poll()) return finish(false);
  return rest();
}

void poller::run_turn(resumable* r) {
  resumable* const next = static_cast<poller*>(r->second_)->turn();
  ASTD_TRANSFER_TO(next);
}

bool poller::claim_turn() noexcept { return !(state_.fetch_or(busy | again, std::memory_order_acq_rel) & busy); }

void poller::schedule_turn(urgency how) noexcept { in()->on().schedule(turn_, how); }

void poller::request_stop() noexcept {
  // Whoever is busy sees the bit; if nobody is, we are, and it ends here.
  if (!(state_.fetch_or(busy | stopping, std::memory_order_acq_rel) & busy)) complete(true);
  stop_request_done();
}

}  // namespace detail
}  // namespace astd
