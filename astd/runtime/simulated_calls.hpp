// The calls of one blocking pool in a simulation: an event that lets one begin each time it fires.
#pragma once

#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/process.hpp>
#include <astd/runtime/blocking_pool.hpp>
#include <astd/runtime/simulation.hpp>

namespace astd::detail {

class simulated_calls final : public driver::sim::event {
 public:
  /// All three live longer.
  simulated_calls(simulation& in, blocking_pool& pool, driver::sim::machine& on) noexcept
      : simulation_(in), pool_(pool), machine_(on), process_(driver::sim::process::here()) {}
  ~simulated_calls() {
    simulation_.in().forget(*this);
    machine_.forget(*this);
  }
  /// There may be one more. Any thread.
  void plan() noexcept {
    driver::sim::world& w = simulation_.in();
    if (driver::sim::world::here() == &w)
      w.schedule_by(*this, w.now() + w.draw_turn());
    else
      w.wake_from_outside(*this);
  }

 private:
  void fire() noexcept override {
    if (!pool_.has_one()) return;
    if (machine_.now_is() == driver::sim::machine::state::paused) return machine_.park(*this);
    simulation_.run_call(pool_, machine_, process_);
    if (pool_.has_one()) plan();
  }

  simulation& simulation_;
  blocking_pool& pool_;
  driver::sim::machine& machine_;
  driver::sim::process* const process_;
};

}  // namespace astd::detail
