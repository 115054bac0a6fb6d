// The disk of a simulated machine: what its files and directories hold, and what of that survives a crash.
#pragma once

#include <astd/driver/sim/open_file.hpp>
#include <astd/driver/sim/world.hpp>

#include <cstdint>
#include <memory>

namespace astd::driver::sim {

class disk {
 public:
  explicit disk(machine& of);
  disk(const disk&) = delete;
  disk& operator=(const disk&) = delete;
  ~disk();

  /// What descriptor 0, 1 or 2 stands for.
  [[nodiscard]] std::unique_ptr<open_file> standard_stream(int number);

  /// openat, statx, renameat, unlinkat, mkdirat: as open_file::start().
  [[nodiscard]] std::int32_t start(operation& op) noexcept;
  void cancel(operation& op) noexcept;
  /// Ends what is pending; forgets what was not synced, or keeps some of it, as the seed says.
  void crash() noexcept;

 private:
  machine& machine_;
};

}  // namespace astd::driver::sim
