#include <astd/base/assert.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/runtime/loop.hpp>
#include <astd/runtime/perform_now.hpp>
#include <astd/runtime/simulation.hpp>

namespace astd::detail {

void perform_outside(driver::operation& op) noexcept {
  // A simulated descriptor that has left its world with a result of block_on.
  if (op.fd >= driver::sim::machine::descriptors_each && !driver::sim::machine::here())
    if (const auto s = simulation::shared_by_plain_runtimes()) {
      const simulation::entry inside(*s);
      if (driver::sim::machine* const whose = s->in().machine_of(op.fd)) return whose->perform(op);
    }
  driver::perform(op);
}

void perform_now(driver::operation& op) noexcept {
  loop* const here = this_threads_loop();
  if (!here) return perform_outside(op);
  [[maybe_unused]] const bool ended = here->submit(op);
  ASTD_ASSERT(ended, "an operation that cannot block was suspended by the driver");
}

}  // namespace astd::detail
