#include <astd/coro/chain.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/process.hpp>
#include <astd/driver/sim/sim_driver.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/simulated_worker.hpp>
#include <astd/runtime/worker.hpp>

#include <utility>

namespace astd::detail {

using driver::sim::machine;
using driver::sim::point;
using driver::sim::sim_driver;

simulated_worker::simulated_worker(worker& of, simulation& in) noexcept
    : worker_(of),
      simulation_(in),
      world_(in.in()),
      // What a loop has on a simulated machine is nothing else.
      driver_(static_cast<sim_driver&>(const_cast<driver::driver&>(*of.events().opened()))),
      machine_(driver_.of()),
      process_(driver::sim::process::here()) {
  driver_.set_turn(this);
}

simulated_worker::~simulated_worker() {
  driver_.set_turn(nullptr);
  world_.forget(*this);
  machine_.forget(*this);
}

void simulated_worker::begin(bool on_this_thread) noexcept {
  thread_ = on_this_thread ? &simulation_.this_entry() : nullptr;
  stage_ = stage::awake;
  world_.schedule_after(*this, world_.draw_turn());
}

void simulated_worker::end() noexcept {
  go_on();
  world_.take_out(*this);
  thread_ = nullptr;
}

void simulated_worker::go_on() noexcept {
  if (std::exchange(stage_, stage::awake) == stage::awake) return;
  worker_.inbox_.wake_up();
  if (worker_.index() != worker::guest && !worker_.runtime_.idlers().leave(worker_.index()))
    worker_.searching_ = true;
  world_.schedule_by(*this, world_.now() + world_.draw_turn());
}

void simulated_worker::fire() noexcept {
  if (machine_.now_is() == machine::state::paused) return machine_.park(*this);
  if (thread_)
    simulation_.run_turn(*thread_, *this);
  else
    take();
}

void simulated_worker::take() noexcept {
  const machine::turn here(machine_);
  const driver::sim::process::turn whose(process_);
  const worker::stand_in now_this(worker_);
  chain* const before = current_chain();
  world_.note(point::turn, &machine_, worker_.index());
  step();
  set_current_chain(before);
}

void simulated_worker::step() noexcept {
  switch (stage_) {
    case stage::awake:
      // Before, so that a block_on in this turn finds the next one planned.
      driver_.set_busy_until(world_.now() + world_.draw_turn());
      world_.schedule(*this, driver_.busy_until());
      shuffle();
      if (resumable* const r = worker_.next())
        worker_.resume(*r);
      else
        fall_asleep();
      return;
    case stage::falling_asleep: {
      // The second half of idle_set::sleep(): others may have pushed something since the first.
      worker_.inbox_.fall_asleep();
      if (worker_.has_any_work() || driver_.take_woken() || driver_.take_woken_from_outside()) return go_on();
      worker_.counters_.parks.add();
      stage_ = stage::asleep;
      const instant deadline = worker_.loop_.earliest_deadline();
      if (deadline != never) world_.schedule_by(*this, machine_.true_time_of(deadline));
      return;
    }
    case stage::asleep:
      go_on();
      worker_.poll_world();
      return;
  }
}

// The first half of idle_set::sleep().
void simulated_worker::fall_asleep() noexcept {
  static_cast<void>(driver_.take_woken());
  if (worker_.index() != worker::guest) worker_.runtime_.idlers().enter(worker_.index(), worker_.searching_);
  stage_ = stage::falling_asleep;
}

// Tasks that are ready run in an order that the runtime does not promise; here in one that the seed decides.
void simulated_worker::shuffle() noexcept {
  switch (world_.draw_choice(8)) {
    case 1:  // the world, and whoever else waits for a turn, now
      worker_.tick_ = worker::fair_turn;
      break;
    case 2:  // what was to run next waits behind all others
      if (worker_.rings_) {
        if (resumable* const r = worker_.take_next()) worker_.push_line(*r);
      } else if (resumable* const r = worker_.hot_.pop_front()) {
        worker_.pinned_.push_back(*r);
      }
      break;
    case 3:
      if (resumable* const r = worker_.pinned_.pop_front()) worker_.pinned_.push_back(*r);
      break;
    default: break;
  }
}

}  // namespace astd::detail
