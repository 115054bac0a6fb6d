#include <astd/driver/native_driver.hpp>

#include <cerrno>
#include <ctime>

namespace astd::driver {

detail::instant native_driver::now() const noexcept {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<detail::instant>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

bool native_driver::submit_blocking(operation& op) noexcept {
  if (!blocking_) {
    perform(op);
    count_inline();
    return true;
  }
  op.in_flight = true;
  put(op, place::pool);
  counters_.pooled.add();
  // It may end, and be gone, before this returns.
  blocking_->execute(op);
  return false;
}

void native_driver::withdraw(operation& op) noexcept {
  if (!blocking_->withdraw(op)) return;
  counters_.pooled.add(~std::uint64_t{0});  // one less
  end_between(op, -ECANCELED);
}

}  // namespace astd::driver
