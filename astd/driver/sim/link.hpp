// How one machine's packets reach another.
#pragma once

#include <astd/base/instant.hpp>

#include <cstdint>

namespace astd::driver::sim {

/// Of one direction. Can be changed at any time; what is on its way already arrives as it would have.
struct link_settings {
  /// The latency is drawn between the two for each packet, in nanoseconds. The segments of one connection overtake each
  /// other only by `reordering` and by faults, datagrams whenever their latencies say so.
  detail::instant shortest = 200'000, longest = 600'000;
  /// How probable it is that a packet is lost, arrives twice, or is held up by several latencies.
  double loss = 0, duplication = 0, reordering = 0;
  /// 0: as many as there are. Otherwise packets wait for those before them, and are lost where more than `queue` bytes wait.
  std::uint64_t bytes_per_second = 0;
  std::uint64_t queue = 262'144;
};

/// From one machine to one other.
struct link_state {
  link_settings settings;
  bool own = false;  // its settings are not the default's
  bool cut = false;  // nothing passes
  detail::instant busy_until = 0;
};

}  // namespace astd::driver::sim
