#include <astd/sync/barrier.hpp>

#include <algorithm>
#include <string>

namespace astd::detail {

barrier_base::barrier_base(std::ptrdiff_t expected, const char* name) noexcept
    : queue_(static_cast<wait_queue::word>(std::max<std::ptrdiff_t>(expected, 1)) * each, name),
      expected_(std::max<std::ptrdiff_t>(expected, 1)) {
  ASTD_ASSERT(expected >= 0 && expected <= max(), "a barrier was made for a number that it cannot have");
}

std::pair<wait_queue::word, bool> barrier_base::come(std::ptrdiff_t n, bool drops) noexcept {
  wait_queue::word seen = queue_.state().load(std::memory_order_relaxed);
  bool changed = false;
  while (!drops && !changed && !(seen & wait_queue::flags)) {
    ASTD_ASSERT(n > 0 && n <= to_come(seen), "more came to a barrier than were expected");
    // acq_rel: the last sees what all did before they came, and those who go on see it from the last.
    changed = queue_.state().compare_exchange_weak(seen, seen - static_cast<wait_queue::word>(n) * each,
                                                   std::memory_order_acq_rel, std::memory_order_relaxed);
  }
  if (!changed) {
    seen = queue_.lock();
    ASTD_ASSERT(n > 0 && n <= to_come(seen), "more came to a barrier than were expected");
    if (drops) --expected_;
    queue_.unlock(seen - static_cast<wait_queue::word>(n) * each);
  }
  const bool last = to_come(seen) == n;
  if (last) {
    run_completion();
    begin_next_phase();
  }
  return {phase_of(seen), last};
}

// Nobody comes meanwhile: all have. Who waits does so for this phase.
void barrier_base::begin_next_phase() noexcept {
  wait_queue::admitted out;
  const wait_queue::word state = queue_.lock();
  const wait_queue::word next = (phase_of(state) + 1) * phase + static_cast<wait_queue::word>(expected_) * each;
  queue_.admit_all(out);
  queue_.unlock(next);
  wait_queue::wake(out);
}

barrier_base::arrival_token barrier_base::arrive(std::ptrdiff_t n) noexcept {
  return arrival_token(come(n, false).first);
}

void barrier_base::arrive_and_drop() noexcept { static_cast<void>(come(1, true)); }

void barrier_base::wait_blocking(arrival_token&& token) { wait_on_thread(wait(std::move(token))); }
bool barrier_base::arrive_and_wait_blocking() { return wait_on_thread(arrive_and_wait()); }

bool barrier_awaiter::await_ready() noexcept {
  if (arrives_) {
    const auto came = barrier_.come(1, false);
    phase_ = came.first;
    last_ = came.second;
    if (last_) return true;
  }
  // acquire pairs with the last one's release.
  return barrier_base::phase_of(barrier_.queue_.state().load(std::memory_order_acquire)) != phase_;
}

bool barrier_awaiter::admit(wait_queue::word& state) noexcept { return barrier_base::phase_of(state) != phase_; }

void barrier_awaiter::describe(std::string& out, unsigned) const {
  describe_as(out, "barrier");
  const auto left = barrier_base::to_come(barrier_.queue_.state().load(std::memory_order_relaxed));
  out += ", " + std::to_string(left) + " to come";
}

}  // namespace astd::detail
