// What is different about a runtime on a simulated machine: it has no threads, its time passes while somebody steps the
// world, and its blocking calls run when the simulation says so.
#include <astd/base/assert.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/simulated_worker.hpp>

#include <algorithm>
#include <utility>

namespace astd::detail {

std::unique_ptr<runtime> runtime_core::make_simulated(runtime_options options, simulation& in,
                                                      driver::sim::machine& machine) {
  options.driver = driver::choice::sim;
  return std::unique_ptr<runtime>(new runtime(std::move(options), in, machine));
}

void runtime_core::begin_simulated() {
  const simulation::entry inside(*simulation_);
  const driver::sim::machine::turn here(*machine_);
  simulation_->add(*this);
  for (auto& w : workers_) {
    w->events().open();
    w->simulate(*simulation_);
    w->wake_up_simulated();
  }
}

// The loops' drivers are known to the world.
void runtime_core::end_loops() {
  if (!simulation_) return guests_.clear();
  const simulation::entry inside(*simulation_);
  const driver::sim::machine::turn here(*machine_);
  simulation_->remove(*this);
  guests_.clear();
  workers_.clear();
}

void runtime_core::run_simulated_call(blocking_pool& pool, void* self) noexcept {
  auto& core = *static_cast<runtime_core*>(self);
  core.simulation_->call(pool, *core.machine_);
}

shutdown_report runtime_core::shut_down_simulated(std::chrono::nanoseconds limit) {
  const simulation::entry inside(*simulation_);
  cancel_all();
  driver::sim::world& world = simulation_->in();
  constexpr std::int64_t a_year = std::int64_t(365) * 86400 * 1'000'000'000;
  const instant end = world.now() + std::clamp<std::int64_t>(limit.count(), 0, a_year);
  const auto over = [&] { return alive() == 0 || world.now() >= end; };
  // Time passes although nothing may happen.
  if (alive() != 0) {
    world.after(end - world.now(), [] {});
    static_cast<void>(simulation_->run_until(over));
  }
  return report_shutdown();
}

}  // namespace astd::detail
