// What is different about a runtime on a simulated machine: it has no threads, its time passes while somebody steps the
// world, and its blocking calls run when the simulation says so.
#include <astd/base/assert.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/simulated_calls.hpp>
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
  simulated_calls_ = std::make_unique<simulated_calls>(*simulation_, blocking_, *machine_);
  for (auto& w : workers_) {
    w->events().open();
    w->simulate(*simulation_);
    w->wake_up_simulated();
  }
}

// What the destructor does; all of it in the world, which knows the loops' drivers.
void runtime_core::end_simulated() {
  const simulation::entry inside(*simulation_);
  const driver::sim::machine::turn here(*machine_);
  // More patience would not help: its time passes in no time.
  if (const shutdown_report report = shutdown(std::chrono::hours(1)); !report.complete)
    assertion_failed(("a simulated runtime ends, but tasks of it do not\n" + report.text).c_str());
  stopping_.store(true, std::memory_order_seq_cst);
  blocking_.shutdown();
  simulated_calls_.reset();
  simulation_->remove(*this);
  guests_.clear();
  workers_.clear();
}

void runtime_core::plan_simulated_call(blocking_pool&, void* self) noexcept {
  static_cast<runtime_core*>(self)->simulated_calls_->plan();
}

shutdown_report runtime_core::shut_down_simulated(std::chrono::nanoseconds limit) {
  cancel_all();
  driver::sim::world& world = simulation_->in();
  constexpr std::int64_t a_year = std::int64_t(365) * 86400 * 1'000'000'000;
  const instant end = world.now() + std::clamp<std::int64_t>(limit.count(), 0, a_year);
  const auto over = [&] { return alive() == 0 || world.now() >= end; };
  if (alive() != 0) {
    // Time passes although nothing else may happen.
    class limit_reached final : public driver::sim::event {
     public:
      limit_reached(driver::sim::world& in, instant when) : world_(in) { world_.schedule(*this, when); }
      ~limit_reached() { world_.take_out(*this); }

     private:
      void fire() noexcept override {}
      driver::sim::world& world_;
    } const limit_comes(world, end);
    static_cast<void>(simulation_->run_until(over));
  }
  return report_shutdown();
}

}  // namespace astd::detail
