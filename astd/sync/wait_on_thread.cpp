#include <astd/runtime/simulation.hpp>
#include <astd/runtime/virtual_clock.hpp>
#include <astd/runtime/worker.hpp>
#include <astd/sync/wait_on_thread.hpp>

namespace astd::detail {

bool is_in_runtime() noexcept {
  return worker::current() != nullptr || virtual_clock_here() != nullptr || in_simulation();
}

thread_wait::thread_wait() noexcept : root_(&ended, *this, false), outer_(current_chain()) {}

thread_wait::~thread_wait() { set_current_chain(outer_); }

void thread_wait::schedule(resumable& r, urgency) noexcept {
  std::lock_guard guard(lock_);
  ready_.push_back(r);
  changed_.notify_one();  // under the lock: as soon as it is free we may be gone
}

// Whether there was any.
bool thread_wait::run_ready() noexcept {
  resumable* r = nullptr;
  {
    std::lock_guard guard(lock_);
    r = ready_.pop_front();
  }
  if (r) detail::run(*r);
  return r != nullptr;
}

void thread_wait::run(resumable* first) noexcept {
  if (first) detail::run(*first);
  while (!root_.done) {
    if (run_ready()) continue;
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return ready_.front() != nullptr; });
  }
}

void thread_wait::run_until(resumable* first, std::chrono::steady_clock::time_point until) noexcept {
  if (first) detail::run(*first);
  while (!root_.done) {
    if (run_ready()) continue;
    std::unique_lock guard(lock_);
    if (changed_.wait_until(guard, until, [this] { return ready_.front() != nullptr; })) continue;
    guard.unlock();
    root_.request_cancel();
    return run(nullptr);
  }
}

void thread_wait::ended(resumable* r) { static_cast<root&>(chain::from_end(r)).done = true; }

}  // namespace astd::detail
