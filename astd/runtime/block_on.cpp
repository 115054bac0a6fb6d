#include <astd/base/assert.hpp>
#include <astd/base/error.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/runtime/block_on.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/simulated_worker.hpp>

#include <stdexcept>

namespace astd::detail {

// Inside the simulation, on the machine.
struct blocking_root::entry::simulated_stay {
  explicit simulated_stay(runtime_core& core) : inside(*core.simulated()), here(*core.machine()) {}
  const simulation::entry inside;
  const driver::sim::machine::turn here;
};

blocking_root::entry::entry(runtime_core& core)
    : core_(core), stay_(core.simulated() ? new simulated_stay(core) : nullptr), outer_(current_chain()) {
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
  // Those tasks were others.
  set_current_chain(outer_);
  delete stay_;
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
  if (w.simulated()) return run_simulated();
  w.run_until([this] { return task_.done; });
  // What this is nested in goes on now: a dump that gave up waiting for the last turn may be looking at it.
  w.pause_if_asked();
}

void blocking_root::run_simulated() {
  simulation& s = *entry_.here().runtime().simulated();
  const auto over = [this] { return task_.done; };
  if (!s.run_until(over)) {
    // Nobody is left waiting behind an exception: first what waits here ends, if need be all else.
    dump_ = s.dump_tasks();
    task_.root.request_cancel();
    if (!s.run_until(over)) {
      s.cancel_all();
      if (!s.run_until(over))
        assertion_failed(
            ("a task in a simulation does not end, and nothing can happen any more\n" + dump_).c_str());
    }
  }
}

void blocking_root::throw_stopped() const {
#if ASTD_HAS_EXCEPTIONS
  if (!dump_.empty()) throw sim::deadlock(dump_);
#else
  if (!dump_.empty()) assertion_failed(("nothing can happen any more in this simulation\n" + dump_).c_str());
#endif
  throw_task_cancelled("the task in block_on");
}

void blocking_root::ended(resumable* r) { static_cast<header&>(task_header::from_end(r)).done = true; }

}  // namespace astd::detail
