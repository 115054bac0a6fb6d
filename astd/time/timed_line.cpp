#include <astd/base/assert.hpp>
#include <astd/runtime/loop.hpp>
#include <astd/runtime/worker.hpp>
#include <astd/time/timed_line.hpp>

namespace astd::detail {

timed_line::~timed_line() {
  ASTD_ASSERT(waiting_.empty(), "a timer or delay_queue ends while a task waits for it");
}

resumable* timed_waiter::begin(const await_context& c) noexcept {
  attach(c);
  if (worker* w = worker::current(); w && w->runs(in()->on())) {
    home_ = &w->events();
    return join_line();
  }
  // As in io_operation: go to a worker first.
  set_resume(&join_line_on_worker);
  in()->on().schedule(*this, urgency::queued);
  return nullptr;
}

void timed_waiter::join_line_on_worker(resumable* r) {
  auto& self = static_cast<timed_waiter&>(*r);
  self.home_ = &current_loop();
  resumable* const next = self.join_line();
  ASTD_TRANSFER_TO(next);
}

resumable* timed_waiter::join_line() noexcept {
  if (!publish()) return stop();
  {
    spin_guard guard(line_.lock_);
    if (place_ != place::refused) {
      const bool first = line_.waiting_.empty();
      if (!first || !line_.admit(*this, home_->now())) {
        place_ = place::in_line;
        line_.waiting_.push_back(*this);
        if (first) arm(line_.due());
        return nullptr;
      }
      place_ = place::through;
    }
  }
  if (place_ == place::refused) return finish(true);
  // What is there already is given at once, but not for ever.
  if (worker::current()->spend()) return finish(false);
  complete(false, urgency::queued);
  return nullptr;
}

// ---- under the line's lock

void timed_waiter::arm(instant deadline) noexcept {
  if (armed_) {
    // Later: it rings too early, and is set again then. Firing: it will look by itself.
    if (deadline < alarm_.deadline) home_->move(alarm_, deadline);
    return;
  }
  if (deadline == never) return;
  armed_ = true;
  alarm_.fired = &rang;
  home_->set(alarm_, deadline);
}

// Whether the wait may be ended by the caller. If not the alarm is firing, and rang() will.
bool timed_waiter::disarm() noexcept {
  if (armed_ && !home_->take_back(alarm_)) return false;
  armed_ = false;
  return true;
}

void timed_line::look(waiters& through) noexcept {
  while (timed_waiter* const w = waiting_.front()) {
    if (!admit(*w, w->home_->now())) {
      w->arm(due());
      return;
    }
    waiters::erase(*w);
    w->place_ = timed_waiter::place::through;
    if (w->disarm()) through.push_back(*w);
  }
}

// ---- without it

void timed_line::wake(waiters& through) noexcept {
  while (timed_waiter* const w = through.pop_front()) w->complete(false, urgency::queued);
}

void timed_waiter::rang(timer& t) noexcept {
  timed_waiter& self = *static_cast<alarm&>(t).of;
  timed_line::waiters through;
  bool stopped = false;
  {
    spin_guard guard(self.line_.lock_);
    self.armed_ = false;
    if (self.place_ == place::in_line) {
      self.line_.look(through);
    } else {
      stopped = self.place_ == place::stopping;
      if (!stopped) through.push_back(self);
    }
  }
  if (stopped)
    self.complete(true, urgency::queued);
  else
    timed_line::wake(through);
}

void timed_waiter::request_stop() noexcept {
  bool end = false;
  {
    spin_guard guard(line_.lock_);
    switch (place_) {
      case place::outside: place_ = place::refused; break;
      case place::in_line: {
        const bool was_first = line_.waiting_.front() == this;
        timed_line::waiters::erase(*this);
        place_ = place::stopping;
        end = disarm();
        if (was_first)
          if (timed_waiter* const first = line_.waiting_.front()) first->arm(line_.due());
        break;
      }
      default: break;  // it has been let through, and ends with that
    }
  }
  if (end) complete(true);
  stop_request_done();
}

}  // namespace astd::detail
