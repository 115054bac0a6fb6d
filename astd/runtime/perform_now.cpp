#include <astd/base/assert.hpp>
#include <astd/runtime/loop.hpp>
#include <astd/runtime/perform_now.hpp>

namespace astd::detail {

void perform_now(driver::operation& op) noexcept {
  loop* const here = this_threads_loop();
  if (!here) return driver::perform(op);
  [[maybe_unused]] const bool ended = here->submit(op);
  ASTD_ASSERT(ended, "an operation that cannot block was suspended by the driver");
}

}  // namespace astd::detail
