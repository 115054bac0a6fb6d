#include <astd/coro/composite.hpp>
#include <astd/coro/dump.hpp>
#include <astd/coro/thread_state.hpp>

#include <utility>

namespace astd::detail {

void composite::add(branch_base& b) noexcept {
  (last_ ? last_->following_ : first_) = &b;
  last_ = &b;
  remaining_.fetch_add(1, std::memory_order_relaxed);
}

resumable* composite::start_branches(const await_context& c, stops where) noexcept {
  attach(c);
  stops_ = where;
  for (branch_base* b = first_; b; b = b->following_) b->begin_in(*c.in);
  unstarted_ = first_;
  published_ = publish();
  if (!published_ && where == stops::before) return stop();
  if (!published_ && where == stops::branches) cancel_others(nullptr);
  return &starter_;
}

resumable* composite::start_late(branch_base& b) noexcept {
  b.begin_in(*in());
  remaining_.fetch_add(1, std::memory_order_relaxed);
  set_current_chain(&b);
  return b.start();
}

// Runs once for each branch: the branch's first stretch comes between two turns of this.
void composite::start_next(resumable* r) {
  auto& self = *static_cast<composite*>(r->second_);
  resumable* next = nullptr;
  for (;;) {
    branch_base* const b = self.unstarted_;
    if (!b) {
      next = self.release();
      break;
    }
    self.unstarted_ = b->following_;
    if (b->cancel_requested()) {  // lost before it began
      b->set_stopped();
      if (resumable* meanwhile = self.ended(*b)) defer(*meanwhile);
      continue;
    }
    defer(self.starter_);
    set_current_chain(b);  // not all that can be awaited begins with a task, which would do so itself
    next = b->start();
    break;
  }
  ASTD_TRANSFER_TO(next);
}

void branch_base::ended(resumable* r) {
  auto& b = static_cast<branch_base&>(chain::from_end(r));
  if (!b.stopped()) {
    b.owner_->settling(b);
    b.failed_ = b.settle();
    b.settled_ = true;
  }
  resumable* const next = b.owner_->ended(b);
  ASTD_TRANSFER_TO(next);
}

resumable* composite::ended(branch_base& b) noexcept {
  resumable* const meanwhile = branch_ended(b);
  resumable* const next = release();
  return meanwhile ? meanwhile : next;
}

resumable* composite::release() noexcept {
  // acq_rel: the last one sees what all branches wrote.
  if (remaining_.fetch_sub(1, std::memory_order_acq_rel) != 1) return nullptr;
  const bool stopped = !has_outcome();
  if (published_) return finish(stopped);
  return stopped ? stop() : go_on();
}

void composite::cancel_others(const branch_base* b) noexcept {
  for (branch_base* other = first_; other; other = other->following_)
    if (other != b) other->request_cancel();
}

// Nests may be deep, so those inside this one are not asked from here but after it. Until its stop_request_done() a
// composite cannot end, nor can what it is in.
void composite::request_stop() noexcept {
  thread_state& here = this_thread_state;
  if (here.stopping) {
    next_to_stop_ = std::exchange(here.to_stop, this);
    return;
  }
  here.stopping = true;
  composite* c = this;
  do {
    c->stop_all();
    c = here.to_stop;
    if (c) here.to_stop = c->next_to_stop_;
  } while (c);
  here.stopping = false;
}

void composite::stop_all() noexcept {
  if (stops_ != stops::behind) {
    cancel_others(nullptr);
    stop_more();
  }
  stop_request_done();
}

void composite::describe(std::string& out, unsigned depth) const {
  out += name_;
  for (const branch_base* b = first_; b; b = b->following_) {
    if (b->settled_ || b->stopped()) continue;
    out += '\n';
    describe_chain(*b, out, depth + 1);
  }
}

}  // namespace astd::detail
