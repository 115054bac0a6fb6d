#include <astd/io/turn.hpp>

namespace astd::io::detail {

astd::detail::resumable* turn::waiter::start(const astd::detail::await_context& c) noexcept {
  attach(c);
  if (!publish()) return stop();
  {
    astd::detail::spin_guard guard(of_.lock_);
    if (!stopping_ && std::exchange(of_.taken_, true)) {
      of_.waiting_.push_back(*this);
      return nullptr;
    }
    // A request to stop came between publish() and here: it left the end to us.
    if (!stopping_) return finish(false);
  }
  return finish(true);
}

void turn::waiter::request_stop() noexcept {
  bool unlinked = false;
  {
    astd::detail::spin_guard guard(of_.lock_);
    stopping_ = true;
    if (linked()) {
      astd::detail::intrusive_list<waiter>::erase(*this);
      unlinked = true;
    }
  }
  if (unlinked) complete(true);
  stop_request_done();
}

void turn::pass_on() noexcept {
  waiter* next;
  {
    astd::detail::spin_guard guard(lock_);
    next = waiting_.pop_front();
    if (!next) taken_ = false;
  }
  if (next) next->complete(false);
}

}  // namespace astd::io::detail
