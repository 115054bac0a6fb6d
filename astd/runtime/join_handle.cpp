#include <astd/base/assert.hpp>
#include <astd/runtime/join_handle.hpp>
#include <astd/runtime/spawn.hpp>

#include <string>

namespace astd::detail {

resumable* tell_joiner(task_header& t, bool& gone) noexcept {
  // acq_rel: the joiner sees the result; we see what it prepared for us.
  const std::uintptr_t before = t.join.exchange(join_done, std::memory_order_acq_rel);
  if (before == join_running || before == join_refused) return nullptr;
  if (before == join_detached) {
    t.root.set_fresh(false);  // it is still the current one when its result goes, whose destructor may settle that
    gone = true;
    return nullptr;
  }
  auto* const waiting = reinterpret_cast<join_waiter*>(before);
  executor& theirs = waiting->waits_on();
  return here_or_there(theirs, waiting->task_ended());
}

resumable* join_waiter::wait(const await_context& c) noexcept {
  if (take_to_call(*task_, c)) {
    attach_quietly(c);
    task_->root.is_joined_here = true;
    // relaxed: nobody looks before publish_late().
    task_->join.store(reinterpret_cast<std::uintptr_t>(this), std::memory_order_relaxed);
    return &task_->root.end();
  }
  attach(c);
  if (!publish()) return stop();
  return enter_task();
}

void join_waiter::publish_late() noexcept {
  executor& on = waits_on();
  attach_late();
  // If it is, request_stop() may come at once, and finds us in the task's join word already.
  if (publish()) return;
  task_->join.store(join_running, std::memory_order_relaxed);  // still ours alone
  on.schedule(*stop(), urgency::next);
}

// The suspension is published.
resumable* join_waiter::enter_task() noexcept {
  std::uintptr_t seen = join_running;
  // release: the task's exchange sees us whole. acquire: its result, if it has ended. After it the task may end, and we
  // with it, at once.
  if (task_->join.compare_exchange_strong(seen, reinterpret_cast<std::uintptr_t>(this), std::memory_order_acq_rel,
                                          std::memory_order_acquire))
    return nullptr;
  if (seen == join_refused &&
      task_->join.compare_exchange_strong(seen, join_running, std::memory_order_acquire, std::memory_order_acquire))
    return finish(true);
  ASTD_ASSERT(seen == join_done, "a join_handle was awaited while another await of it was under way");
  return finish(false);
}

void join_waiter::request_stop() noexcept {
  const auto self = reinterpret_cast<std::uintptr_t>(this);
  // acquire, where it takes the joiner out: the joiner's last look at itself, in enter_task(), comes before it goes on
  // elsewhere. The rest is relaxed: nothing of the task is looked at here.
  std::uintptr_t seen = task_->join.load(std::memory_order_relaxed);
  // Until the task has ended.
  while (seen == self || seen == join_running) {
    // wait() may not have come to the point where it enters itself: it finds that it is not to.
    const std::uintptr_t wanted = seen == self ? join_running : join_refused;
    if (!task_->join.compare_exchange_weak(seen, wanted, std::memory_order_acquire, std::memory_order_relaxed))
      continue;
    if (wanted == join_running) complete(true);
    break;
  }
  stop_request_done();
}

void join_waiter::describe(std::string& out, unsigned) const {
  out += "join of ";
  out += title_of_task(*task_);
}

}  // namespace astd::detail
