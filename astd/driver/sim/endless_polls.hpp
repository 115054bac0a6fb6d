// Polls for what never comes: of a descriptor that is always ready, but not for that.
#pragma once

#include <astd/driver/sim/open_file.hpp>
#include <astd/driver/sim/world.hpp>

#include <cerrno>

namespace astd::driver::sim {

class endless_polls {
 public:
  explicit endless_polls(world& in) noexcept : world_(in) {}
  [[nodiscard]] std::int32_t add(operation& op) noexcept {
    operations_.push_back(op);
    return pending;
  }
  void cancel(operation& op) noexcept {
    detail::intrusive_list<operation>::erase(op);
    world_.finish(op, -ECANCELED);
  }
  void crash() noexcept {
    while (operation* const op = operations_.front()) cancel(*op);
  }

 private:
  world& world_;
  detail::intrusive_list<operation> operations_;
};

}  // namespace astd::driver::sim
