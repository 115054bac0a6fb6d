#include <astd/sync/wait_queue.hpp>

namespace astd::detail {

wait_queue::word wait_queue::admit(word state, admitted& out) noexcept {
  while (waiter* const first = waiters_.front()) {
    if (!first->admit(state)) break;
    admit_first(out);
  }
  return state;
}

waiter* wait_queue::back() noexcept {
  waiter* const first = waiters_.front();
  if (!first) return nullptr;
  // The first is preceded by the list's head, and that by the last.
  return static_cast<waiter*>(first->list_node::previous->previous);
}

void wait_queue::admit_one(waiter& w, admitted& out) noexcept {
  intrusive_list<waiter>::erase(w);
  w.place_ = waiter::place::admitted;
  out.push_back(w);
}

bool wait_queue::admit_first(admitted& out) noexcept {
  waiter* const first = waiters_.front();
  if (!first) return false;
  admit_one(*first, out);
  return true;
}

void wait_queue::admit_all(admitted& out) noexcept {
  while (admit_first(out)) {
  }
}

void wait_queue::wake(admitted& out) noexcept {
  // One that was handed something runs next; of many, each gets its turn behind what is ready.
  waiter* first = out.pop_front();
  if (!first) return;
  const urgency how = out.empty() ? urgency::next : urgency::queued;
  do first->complete(first->ends_stopped_, how);
  while ((first = out.pop_front()));
}

resumable* waiter::wait(const await_context& c, turn t) noexcept {
  attach(c);
  if (!publish()) return stop();
  wait_queue& queue = *queue_;
  wait_queue::word state = queue.lock();
  if (place_ == place::refused) {
    queue.unlock(state);
    return finish(true);
  }
  // It may have become free in between.
  if ((t != turn::last || queue.empty()) && admit(state)) {
    place_ = place::admitted;
    queue.unlock(state);
    return finish(false);
  }
  if (t == turn::first)
    queue.waiters_.push_front(*this);
  else
    queue.waiters_.push_back(*this);
  place_ = place::in_line;
  queue.unlock(state);  // from here on we may be woken, and be gone
  return nullptr;
}

void waiter::wait_further(bool stopped) noexcept {
  wait_queue& queue = *queue_;
  ends_stopped_ = stopped;
  wait_queue::word state = queue.lock();
  if (queue.empty() && admit(state)) {
    place_ = place::admitted;
    queue.unlock(state);
    complete(stopped);
    return;
  }
  queue.waiters_.push_back(*this);
  place_ = place::in_line;
  queue.unlock(state);
}

void waiter::request_stop() noexcept {
  wait_queue& queue = *queue_;
  wait_queue::admitted behind;
  wait_queue::word state = queue.lock();
  const place was = place_;
  if (was == place::in_line) {
    intrusive_list<waiter>::erase(*this);
    state = queue.admit(state, behind);  // what those behind us wait for may have been there all the time
  }
  if (was != place::admitted) place_ = place::refused;
  queue.unlock(state);
  wait_queue::wake(behind);
  if (was == place::in_line) complete(true);
  stop_request_done();
}

void waiter::describe_as(std::string& out, std::string_view what) const {
  out += what;
  if (const char* const name = queue_->name()) {
    out += " '";
    out += name;
    out += '\'';
  }
}

}  // namespace astd::detail
