// What can go wrong in a simulated world, and how often it shall.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace astd::driver::sim {

/// Each is asked for where it can happen (world::strikes), and so has a number in the order of a run: what a smaller run
/// leaves out.
enum class fault : std::uint8_t {
  // On the way.
  packet_lost,        // a segment is sent again, a datagram is gone
  packet_duplicated,  // arrives twice
  packet_delayed,     // by many times the latency: what was sent later overtakes it
  // At a machine's sockets.
  connection_reset,    // by something in between
  connection_aborted,  // died while it waited to be accepted
  short_transfer,      // less than was asked for and possible
  spurious_readiness,  // a descriptor that was ready is not
  no_descriptors,      // the machine has none left: -EMFILE
  no_memory,           // -ENOMEM, -ENOBUFS
  lookup_failed,       // no name server answers
  // At its disk.
  disk_error,  // -EIO
  disk_full,   // -ENOSPC
  disk_slow,   // a hundred times as long
  sync_lost,   // an fsync says that all is stored, and nothing is
  // What a scenario's chance does: see testing/sim.
  partition,
  clog,
  crash,
  pause,
  clock_jump,
};
inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(fault::clock_jump) + 1;

/// "packet lost".
[[nodiscard]] std::string_view name_of(fault kind) noexcept;

/// How probable each is whenever it is asked for; nothing at first.
class fault_rates {
 public:
  [[nodiscard]] constexpr double of(fault kind) const noexcept { return rates_[static_cast<std::size_t>(kind)]; }
  constexpr fault_rates& set(fault kind, double probability) noexcept {
    rates_[static_cast<std::size_t>(kind)] = probability;
    return *this;
  }
  /// The same for all from `first` to `last`, in the order above.
  constexpr fault_rates& set(fault first, fault last, double probability) noexcept {
    for (auto k = static_cast<std::size_t>(first); k <= static_cast<std::size_t>(last); ++k)
      rates_[k] = probability;
    return *this;
  }

 private:
  double rates_[fault_kinds] = {};
};

}  // namespace astd::driver::sim
