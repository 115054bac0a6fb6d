#include <astd/coro/poll_fn.hpp>

namespace astd {

waker::~waker() {
  // acq_rel: the last owner deletes what the others used.
  if (state_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete state_;
}

void waker::wake() const noexcept {
  detail::spin_guard guard(state_->lock);
  if (state_->waiting) state_->waiting->wake();
}

namespace detail {

poller::poller() : turn_(&run_poll, this), waker_(new waker_state) { waker_.state_->waiting = this; }

poller::~poller() {
  spin_guard guard(waker_.state_->lock);
  waker_.state_->waiting = nullptr;
}

resumable* poller::start_polling(const await_context& c) noexcept {
  attach(c);
  if (!publish()) return stop();
  return poll_until_idle();
}

// Called by the holder of the busy bit, after a poll without an outcome or a wake.
resumable* poller::poll_until_idle() noexcept {
  for (;;) {
    // acq_rel: what a waker did before wake() is seen by the next poll, and the reverse.
    std::uint8_t seen = busy;
    if (state_.compare_exchange_strong(seen, 0, std::memory_order_acq_rel, std::memory_order_acquire)) return nullptr;
    if (seen & stopping) return finish(true);
    state_.fetch_and(static_cast<std::uint8_t>(~again), std::memory_order_acq_rel);
    if (poll()) return finish(false);
  }
}

void poller::run_poll(resumable* r) {
  auto& self = *static_cast<poller*>(r->second_);
  set_current_chain(self.in());
  resumable* const next = self.poll_until_idle();
  ASTD_TRANSFER_TO(next);
}

void poller::wake() noexcept {
  if (!(state_.fetch_or(busy | again, std::memory_order_acq_rel) & busy)) in()->on().schedule(turn_, urgency::next);
}

void poller::request_stop() noexcept {
  // Whoever is busy sees the bit; if nobody is, we are, and it ends here.
  if (!(state_.fetch_or(busy | stopping, std::memory_order_acq_rel) & busy)) complete(true);
  stop_request_done();
}

}  // namespace detail
}  // namespace astd
