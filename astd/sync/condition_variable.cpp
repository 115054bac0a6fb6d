#include <astd/sync/condition_variable.hpp>

namespace astd {

void condition_variable::notify_one() noexcept {
  if (!any_.load(std::memory_order_relaxed)) return;
  waiting* chosen = nullptr;
  {
    const detail::spin_guard guard(lock_);
    chosen = line_.pop_front();
    if (chosen) chosen->stage_.store(waiting::stage::notified, std::memory_order_relaxed);
    any_.store(!line_.empty(), std::memory_order_relaxed);
  }
  if (chosen) chosen->wait_further(false);
}

void condition_variable::notify_all() noexcept {
  if (!any_.load(std::memory_order_relaxed)) return;
  detail::intrusive_list<waiting> chosen;
  {
    const detail::spin_guard guard(lock_);
    while (waiting* const w = line_.pop_front()) {
      w->stage_.store(waiting::stage::notified, std::memory_order_relaxed);
      chosen.push_back(*w);
    }
    any_.store(false, std::memory_order_relaxed);
  }
  while (waiting* const w = chosen.pop_front()) w->wait_further(false);
}

void condition_variable::wait_blocking(mutex_guard& guard) { detail::wait_on_thread(wait(guard)); }

astd::mutex& condition_variable::waiting::held_by(const mutex_guard& guard) noexcept {
  ASTD_ASSERT(guard.owns_lock(), "a condition_variable was waited for with a guard that holds nothing");
  return *guard.mutex();
}

condition_variable::waiting::waiting(condition_variable& cv, mutex_guard& guard) noexcept
    : waiter(held_by(guard).queue_), cv_(cv), guard_(guard), mutex_(*guard.mutex()) {}

detail::resumable* condition_variable::waiting::begin(const detail::await_context& c) noexcept {
  attach(c);
  if (!publish()) return stop();
  if (c.chain_stays) stoppable_ = c.in;
  astd::mutex& held = mutex_;
  bool refused;
  {
    const detail::spin_guard guard(cv_.lock_);
    refused = stage_.load(std::memory_order_relaxed) == stage::refused;
    if (!refused) {
      static_cast<void>(guard_.release());
      cv_.line_.push_back(*this);
      stage_.store(stage::in_line, std::memory_order_relaxed);
      cv_.any_.store(true, std::memory_order_relaxed);
    }
  }
  if (refused) return finish(true);  // with no lock of what may then be gone
  // From here on we may be notified, and then wait for what we hold ourselves. When that is free we may be gone.
  held.unlock();
  return nullptr;
}

void condition_variable::waiting::request_stop() noexcept {
  bool was_in_line = false;
  {
    const detail::spin_guard guard(cv_.lock_);
    const stage was = stage_.load(std::memory_order_relaxed);
    was_in_line = was == stage::in_line;
    if (was_in_line) {
      detail::intrusive_list<waiting>::erase(*this);
      cv_.any_.store(!cv_.line_.empty(), std::memory_order_relaxed);
    }
    // One that was notified gets its lock, and passes the notification on when it goes on: see ended().
    if (was != stage::notified) stage_.store(stage::refused, std::memory_order_relaxed);
  }
  if (was_in_line) wait_further(true);
  stop_request_done();
}

bool condition_variable::waiting::admit(detail::wait_queue::word& state) noexcept {
  if (!mutex_.hand_to(*in(), state)) return false;
  guard_ = mutex_guard(mutex_);
  return true;
}

void condition_variable::waiting::ended() noexcept {
  if (stoppable_ && stoppable_->cancel_requested()) cv_.notify_one();
}

void condition_variable::waiting::describe(std::string& out, unsigned) const {
  const bool notified = stage_.load(std::memory_order_relaxed) != stage::in_line;
  if (notified) {
    describe_as(out, "lock of mutex");
    mutex_.owner_.describe(out);
    out += ", behind ";
  }
  out += "condition_variable";
  if (cv_.name_) out += std::string(" '") + cv_.name_ + '\'';
}

}  // namespace astd
