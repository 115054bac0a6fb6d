#include <astd/driver/sim/fault.hpp>

namespace astd::driver::sim {

std::string_view name_of(fault kind) noexcept {
  switch (kind) {
    case fault::packet_lost: return "packet lost";
    case fault::packet_duplicated: return "packet duplicated";
    case fault::packet_delayed: return "packet delayed";
    case fault::connection_reset: return "connection reset";
    case fault::connection_aborted: return "connection aborted";
    case fault::short_transfer: return "short transfer";
    case fault::spurious_readiness: return "spurious readiness";
    case fault::no_descriptors: return "no descriptors";
    case fault::no_memory: return "no memory";
    case fault::lookup_failed: return "lookup failed";
    case fault::disk_error: return "disk error";
    case fault::disk_full: return "disk full";
    case fault::disk_slow: return "disk slow";
    case fault::sync_lost: return "sync lost";
    case fault::partition: return "partition";
    case fault::clog: return "clog";
    case fault::crash: return "crash";
    case fault::pause: return "pause";
    case fault::clock_jump: return "clock jump";
  }
  return "?";
}

}  // namespace astd::driver::sim
