#include <astd/base/assert.hpp>
#include <astd/driver/attempt.hpp>
#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/sim_driver.hpp>

#include <algorithm>
#include <cerrno>

namespace astd::driver::sim {
namespace {

// Those that a driver may end after submit(): perform_now() relies on the others.
bool may_end_later(const operation& op) noexcept {
  switch (nature_of(op.code)) {
    case nature::immediate:
    case nature::closing: return false;
    // What it ends with is what next_connection() says, and nothing else.
    default: return op.code != opcode::accept_many && !wants_no_wait(op);
  }
}

}  // namespace

sim_driver::sim_driver(machine& of) : machine_(of), world_(of.in()), number_(world_.add_driver(*this)) {}
sim_driver::~sim_driver() { world_.remove_driver(number_); }

bool sim_driver::submit(operation& op) noexcept {
  counters_.submitted.add();
  world_.note(point::submitted, &machine_, static_cast<std::uint64_t>(op.code),
              static_cast<std::uint64_t>(static_cast<unsigned>(op.fd)));
  // Before it starts: what it sets off may end it.
  op.in_flight = true;
  op.cancel_asked = false;
  op.driver_word = number_;
  machine* const whose = world_.machine_of(op.fd);
  const std::int32_t result = (whose ? *whose : machine_).start(op);
  if (result == pending) return false;
  if (may_end_later(op) && world_.order().chance(world_.options().later)) {
    op.result = result;
    world_.after(world_.draw_turn(), [this, &op] { end(op, op.result); });
    return false;
  }
  op.in_flight = false;
  op.result = result;
  counters_.inline_done.add();
  world_.note(point::ended, &machine_, static_cast<std::uint64_t>(op.code), static_cast<std::uint64_t>(result));
  return true;
}

void sim_driver::end(operation& op, std::int32_t result) noexcept {
  op.result = result;
  op.in_flight = false;
  counters_.completed.add();
  world_.note(point::ended, &machine_, static_cast<std::uint64_t>(op.code), static_cast<std::uint64_t>(result));
  ended_.push_back(op);
  wake();
}

void sim_driver::tell(operation& op) noexcept {
  if (op.linked()) return;  // it has been told already
  ended_.push_back(op);
  wake();
}

void sim_driver::cancel(operation& op) noexcept {
  counters_.cancelled.add();
  world_.note(point::cancelled, &machine_, static_cast<std::uint64_t>(op.code));
  // It has ended; or it is in no list, and its end is on its way.
  if (!op.in_flight || (!op.linked() && op.code != opcode::accept_many)) return;
  machine* const whose = world_.machine_of(op.fd);
  machine& m = whose ? *whose : machine_;
  if (disk::serves(op.code)) return m.storage().cancel(op);
  if (open_file* const file = m.find(op.fd)) file->cancel(op);
}

std::int32_t sim_driver::next_connection(operation& op) noexcept {
  if (!op.in_flight) return op.result;
  machine* const whose = world_.machine_of(op.fd);
  open_file* const file = (whose ? *whose : machine_).find(op.fd);
  const std::int32_t result = file ? file->next_connection(op) : -EBADF;
  if (result >= 0 || result == -EAGAIN) return result;
  op.result = result;
  op.in_flight = false;
  counters_.completed.add();
  world_.note(point::ended, &machine_, static_cast<std::uint64_t>(op.code), static_cast<std::uint64_t>(result));
  return result;
}

void sim_driver::collect(completions& done, bool) noexcept { done.splice(ended_); }

void sim_driver::wait(instant) noexcept { ASTD_ASSERT(false, "a simulated loop does not wait"); }

void sim_driver::wake() noexcept {
  if (!turn_) return;
  if (world::here() != &world_) {
    woken_from_outside_.store(true, std::memory_order_release);  // pairs with take_woken_from_outside()
    return world_.wake_from_outside(*turn_);
  }
  woken_ = true;
  world_.schedule_by(*turn_, std::max(world_.now() + world_.draw_turn(), busy_until_));
}

}  // namespace astd::driver::sim
