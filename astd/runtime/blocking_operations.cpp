#include <astd/runtime/blocking_operations.hpp>

#include <cstddef>

namespace astd::detail {

namespace {

// offsetof, for a type that has it only by courtesy of the compilers.
std::ptrdiff_t offset_of_job() noexcept {
  const driver::operation op;
  return reinterpret_cast<const char*>(&op.blocking) - reinterpret_cast<const char*>(&op);
}

void run(job& j) noexcept {
  driver::operation& op = *reinterpret_cast<driver::operation*>(reinterpret_cast<char*>(&j) - offset_of_job());
  driver::perform(op);
  op.completed(op);
}

}  // namespace

void blocking_operations::execute(driver::operation& op) noexcept {
  op.blocking.run = run;
  pool_.submit(op.blocking);
}

}  // namespace astd::detail
