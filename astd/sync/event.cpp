#include <astd/sync/event.hpp>

namespace astd {

using detail::wait_queue;

void event::notify_one() noexcept {
  wait_queue::word seen = queue_.state().load(std::memory_order_relaxed);
  while (!(seen & wait_queue::flags))
    // release, even if one is kept already: who uses that up must see what was done before this one.
    if (queue_.state().compare_exchange_weak(seen, seen | kept, std::memory_order_release,
                                             std::memory_order_relaxed))
      return;
  notify(false);
}

void event::notify_last() noexcept { notify(true); }

void event::notify(bool last) noexcept {
  wait_queue::admitted out;
  const wait_queue::word state = queue_.lock();
  auto* const chosen = static_cast<awaiter*>(last ? queue_.back() : queue_.front());
  if (chosen) {
    chosen->given_one_ = true;
    queue_.admit_one(*chosen, out);
  }
  queue_.unlock(chosen ? state : state | kept);
  wait_queue::wake(out);
}

void event::notify_all() noexcept {
  wait_queue::admitted out;
  const wait_queue::word state = queue_.lock();
  queue_.admit_all(out);
  queue_.unlock(state + round);
  wait_queue::wake(out);
}

bool event::try_wait() noexcept {
  wait_queue::word seen = queue_.state().load(std::memory_order_relaxed);
  while (seen & kept) {
    if (seen & wait_queue::flags) {  // nobody waits where one is kept: somebody has the list at this moment
      const wait_queue::word state = queue_.lock();
      queue_.unlock(state & ~kept);
      return (state & kept) != 0;
    }
    // acquire: what was done before notify_one().
    if (queue_.state().compare_exchange_weak(seen, seen & ~kept, std::memory_order_acquire,
                                             std::memory_order_relaxed))
      return true;
  }
  return false;
}

void event::wait_blocking() { detail::wait_on_thread(wait()); }

bool event::awaiter::await_ready() noexcept {
  // acquire pairs with notify_all().
  if (round_of(event_.queue_.state().load(std::memory_order_acquire)) != since_) return true;
  // start() will not be called to say in which chain we are; we are in it, before anything else runs.
  detail::chain* const in = detail::current_chain();
  // One that is to stop would only give it back, and who waits in a loop would take it again, for ever: it stops in start().
  if (in && in->cancel_requested()) return false;
  given_one_ = event_.try_wait();
  if (given_one_) stoppable_ = in;
  return given_one_;
}

detail::resumable* event::awaiter::start(const detail::await_context& c) noexcept {
  if (c.chain_stays) stoppable_ = c.in;
  return wait(c, turn::at_once);
}

// One is kept only while nobody waits, so nobody is overtaken here.
bool event::awaiter::admit(wait_queue::word& state) noexcept {
  if (round_of(state) != since_) return true;
  if (!(state & kept)) return false;
  state &= ~kept;
  return given_one_ = true;
}

detail::outcome<void> event::awaiter::take() noexcept {
  resumed();
  if (given_one_ && stoppable_ && stoppable_->cancel_requested()) event_.notify_one();
  detail::outcome<void> out;
  out.set_value();
  return out;
}

void event::awaiter::describe(std::string& out, unsigned) const { describe_as(out, "event"); }

}  // namespace astd
