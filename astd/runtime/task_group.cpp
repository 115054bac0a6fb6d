#include <astd/runtime/task_extras.hpp>
#include <astd/runtime/task_group.hpp>

#include <memory>

namespace astd::detail {

namespace {

// A value whose handle is still held when its task ends waits for one of three: the handle is awaited, it is dropped (then
// the value is for next()), the group ends. They are ordered by this lock, which the usual case, a handle that is dropped
// before the task ends, never takes. It guards held_, and extras->in_group of what is in there; taken before next_lock_.
constinit spin_lock held_lock;

}  // namespace

group_base::~group_base() {
  {
    spin_guard guard(held_lock);
    while (group_child* c = held_.pop_front()) {
      c->task->extras->in_group = nullptr;
      delete c;
    }
  }
  while (group_child* c = finished_.pop_front()) {
    c->free(*c->task);
    delete c;
  }
}

group_base::kind* group_base::find_kind(const void* type) noexcept {
  if (type == plain_.type) return &plain_;
  for (kind& k : kinds_)
    if (k.type == type) return &k;
  return nullptr;
}

void group_base::enlist(const group_member& member) {
  auto c = std::make_unique<group_child>(member, *this);
  task_extras& extras = extras_of(*c->task);
  spin_guard guard(lock_);
  if (c->type) {
    spin_guard next_guard(next_lock_);
    kind* known = find_kind(c->type);
    if (!known) known = &kinds_.emplace_back(kind{c->type, 0});
    ++known->alive;
  }
  if (cancelled_) c->task->root.request_cancel();
  ++alive_;
  retain();
  extras.in_group = c.get();
  extras.grouped = true;
  children_.push_back(*c.release());
}

std::size_t group_base::size() const noexcept {
  spin_guard guard(lock_);
  return alive_;
}

void group_base::cancel_children(const group_child* except) noexcept {
  // Under the lock, so that none of them goes away meanwhile: a request resumes nothing by itself.
  spin_guard guard(lock_);
  cancelled_ = true;
  for (group_child* c = children_.front(); c; c = children_.after(*c))
    if (c != except) c->task->root.request_cancel();
}

void group_base::stop_more() noexcept {
  {
    spin_guard guard(lock_);
    stop_asked_ = true;
  }
  cancel_children(nullptr);
}

void group_base::fail(outcome<void>&& failure, const group_child* by) noexcept {
  {
    spin_guard guard(lock_);
    if (failure_.failed()) return;
    failure_ = std::move(failure);
  }
  cancel_children(by);
  cancel_others(nullptr);
}

bool group_base::serve(next_waiter& w) noexcept {
  for (group_child* c = finished_.front(); c; c = finished_.after(*c)) {
    if (c->type != w.type_) continue;
    intrusive_list<group_child>::erase(*c);
    w.found_ = c;
    return true;
  }
  kind* const known = find_kind(w.type_);
  if (!known) return true;
  if (known->counted == 0)
    return known->alive == 0;  // none now; and later only if a task of the kind is still running
  --known->counted;
  w.counted_ = true;
  return true;
}

void group_base::serve_waiting(intrusive_list<next_waiter>& served) noexcept {
  for (next_waiter* w = waiting_.front(); w;) {
    next_waiter* const following = waiting_.after(*w);
    if (serve(*w)) {
      intrusive_list<next_waiter>::erase(*w);
      served.push_back(*w);
    }
    w = following;
  }
}

void group_base::complete(intrusive_list<next_waiter>& served) noexcept {
  for (;;) {
    next_waiter* w;
    {
      // A canceller may take it out of `served` meanwhile; then it completes it.
      spin_guard guard(next_lock_);
      w = served.pop_front();
    }
    if (!w) break;
    w->complete(false);
  }
}

bool group_base::take_over(task_header& t) noexcept {
  // Held to the end: the group waits for it in its destructor.
  spin_guard guard(held_lock);
  group_child* const c = std::exchange(t.extras->in_group, nullptr);
  if (!c) return false;
  intrusive_list<group_child>::erase(*c);
  group_base& group = *c->group;
  intrusive_list<next_waiter> served;
  {
    spin_guard next_guard(group.next_lock_);
    group.finished_.push_back(*c);
    group.serve_waiting(served);
  }
  group.complete(served);
  return true;
}

void group_base::forget(task_header& t) noexcept {
  spin_guard guard(held_lock);
  group_child* const c = std::exchange(t.extras->in_group, nullptr);
  if (!c) return;
  intrusive_list<group_child>::erase(*c);
  delete c;
}

resumable* group_base::child_ended(group_child& c, bool& gone) noexcept {
  task_header& t = *c.task;
  outcome<void> error = c.error_of(t);
  const bool failed = error.failed();
  const bool stopped = t.root.stopped();
  if (failed) fail(std::move(error), &c);
  t.extras->failure_taken = true;
  const void* const type = c.type;
  const bool has_value = type && !failed && !stopped;
  const bool for_next = has_value && type != &type_mark<void>;
  const auto free = c.free;
  resumable* next;
  intrusive_list<next_waiter> served;
  {
    spin_guard guard(lock_);
    intrusive_list<group_child>::erase(c);
    --alive_;
    if (stopped && stop_asked_) cut_off_ = true;
    if (for_next) {
      spin_guard held_guard(held_lock);
      held_.push_back(c);
    } else {
      t.extras->in_group = nullptr;
      delete &c;
    }
    // From here on `t` belongs to whoever holds the handle; to us if nobody does.
    next = tell_joiner(t, gone);
    if (gone && for_next) {
      spin_guard held_guard(held_lock);
      intrusive_list<group_child>::erase(c);
      t.extras->in_group = nullptr;
    }
    spin_guard next_guard(next_lock_);
    if (gone && for_next) {
      finished_.push_back(c);
      gone = false;
    }
    if (kind* const known = find_kind(type)) {
      --known->alive;
      if (has_value && !for_next) ++known->counted;
    }
    serve_waiting(served);
  }
  if (gone) {
    free(t);
    gone = false;
  }
  complete(served);
  executor& on = in()->on();
  resumable* const ours = here_or_there(on, release());
  if (next && ours) {
    defer(*ours);
    return next;
  }
  return next ? next : ours;
}

resumable* end_group_child(task_header& t, bool& gone) noexcept {
  group_child& c = *t.extras->in_group;
  return c.group->child_ended(c, gone);
}

bool next_waiter::look() noexcept {
  spin_guard guard(group_.next_lock_);
  return group_.serve(*this);
}

resumable* next_waiter::wait(const await_context& c) noexcept {
  attach(c);
  if (!publish()) return stop();
  bool stopped;
  {
    spin_guard guard(group_.next_lock_);
    stopped = stop_asked_;  // request_stop() came first and left the rest to us
    if (!stopped && !group_.serve(*this)) {
      group_.waiting_.push_back(*this);
      return nullptr;
    }
  }
  return finish(stopped);
}

void next_waiter::request_stop() noexcept {
  bool mine;
  {
    spin_guard guard(group_.next_lock_);
    stop_asked_ = true;
    mine = linked();
    if (mine) intrusive_list<next_waiter>::erase(*this);
  }
  // It may have been served already: then it has what it was given.
  if (mine) complete(!found_ && !counted_);
  stop_request_done();
}

}  // namespace astd::detail
