// Lets a driver carry out on the blocking pool what it cannot do without blocking.
#pragma once

#include <astd/driver/driver.hpp>
#include <astd/runtime/blocking_pool.hpp>

namespace astd::detail {

class blocking_operations final : public driver::blocking_executor {
 public:
  /// `pool` lives longer.
  explicit blocking_operations(blocking_pool& pool) noexcept : pool_(pool) {}
  void execute(driver::operation& op) noexcept override;
  bool withdraw(driver::operation& op) noexcept override { return pool_.withdraw(op.blocking); }

 private:
  blocking_pool& pool_;
};

}  // namespace astd::detail
