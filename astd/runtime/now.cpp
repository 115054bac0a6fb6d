#include <astd/driver/sim/machine.hpp>
#include <astd/runtime/duration.hpp>
#include <astd/runtime/loop.hpp>
#include <astd/runtime/virtual_clock.hpp>

#include <chrono>

namespace astd::detail {
namespace {

template <class Clock>
instant machine_time() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

}  // namespace

instant now_here() noexcept {
  if (loop* l = this_threads_loop()) return l->now();
  if (const virtual_clock* c = virtual_clock_here()) return c->now();
  if (const auto* m = driver::sim::machine::here()) return m->steady_now();
  return machine_time<std::chrono::steady_clock>();
}

instant system_now_here() noexcept {
  if (const virtual_clock* c = virtual_clock_here()) return c->system_now();
  if (const auto* m = driver::sim::machine::here()) return m->system_now();
  return machine_time<std::chrono::system_clock>();
}

}  // namespace astd::detail
