#include <astd/base/error.hpp>
#include <astd/runtime/block_on.hpp>
#include <astd/runtime/core.hpp>

#include <stdexcept>

namespace astd::detail {

blocking_root::entry::entry(runtime_core& core) : core_(core), outer_(current_chain()) {
  settle_current_task();  // it holds the stack for longer than a turn
  // Inside a task, or a block_on, of this runtime: its loop goes on turning in here.
  if (worker* w = worker::current(); w && &w->runtime() == &core) {
    here_ = w;
  } else {
    here_ = &core.take_guest();
    here_->enter();
    entered_ = true;
  }
  if (virtual_clock* const c = core.clock()) c->start();
}

blocking_root::entry::~entry() {
  if (entered_) core_.end_local_tasks(*here_);
  if (virtual_clock* const c = core_.clock()) c->stop();  // while we are awake: it stays where it is
  if (entered_) {
    here_->leave();
    core_.give_back_guest(*here_);
  }
  // Last: those tasks were others.
  set_current_chain(outer_);
}

blocking_root::blocking_root(runtime_core& core) : entry_(core), task_(entry_.here().pinned_executor()) {
  task_.id = new_task_id();
  task_.join.store(join_in_block_on, std::memory_order_relaxed);
  entry_.here().tasks().add(task_);
}

blocking_root::~blocking_root() {
  if (task_.linked()) task_.registry->remove(task_);
}

void blocking_root::run(resumable* first) noexcept {
  worker& w = entry_.here();
  if (first) w.run_first(*first);
  w.run_until([this] { return task_.done; });
  // What this is nested in goes on now: a dump that gave up waiting for the last turn may be looking at it.
  w.pause_if_asked();
}

void blocking_root::ended(resumable* r) { static_cast<header&>(task_header::from_end(r)).done = true; }

}  // namespace astd::detail
