// Counts the turns of all workers, and cancels behind one of them: when a task has run as far as it could and is
// suspended, and its worker has not looked any further.
#include <astd/coro/resumable.hpp>

#include <tests/faults/injection.hpp>

#include <atomic>
#include <mutex>

namespace astd::faults {
namespace {

std::atomic<std::uint64_t> all_turns{0};
std::atomic<long> countdown{0};
std::mutex lock;  // guards the target, and is held while it is cancelled
join_handle<>* target = nullptr;
bool done = false;

void cancel_now() noexcept {
  std::lock_guard guard(lock);
  if (!target || done) return;
  done = true;
  target->request_cancel();
}

void count_turn() noexcept {
  all_turns.fetch_add(1, std::memory_order_relaxed);
  for (long left = countdown.load(std::memory_order_acquire); left > 0;) {
    if (!countdown.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel)) continue;
    if (left == 1) cancel_now();
    return;
  }
}

}  // namespace

void cancel_behind_turn(join_handle<>& what, long n) noexcept {
  {
    std::lock_guard guard(lock);
    target = &what;
    done = false;
  }
  if (n == 0) return cancel_now();
  countdown.store(n, std::memory_order_release);
}

bool take_back_cancel() noexcept {
  countdown = 0;
  std::lock_guard guard(lock);
  target = nullptr;
  return done;
}

std::uint64_t turns() noexcept { return all_turns.load(std::memory_order_relaxed); }

}  // namespace astd::faults

// detail::run(resumable&), which every turn of a loop goes through.
void astd_faults_real_run(astd::detail::resumable& r) noexcept asm("__real__ZN4astd6detail3runERNS0_9resumableE");
void astd_faults_run(astd::detail::resumable& r) noexcept asm("__wrap__ZN4astd6detail3runERNS0_9resumableE");

void astd_faults_run(astd::detail::resumable& r) noexcept {
  astd_faults_real_run(r);
  astd::faults::count_turn();
}
