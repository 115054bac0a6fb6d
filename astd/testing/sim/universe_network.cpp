#include <astd/driver/sim/network.hpp>
#include <astd/testing/sim/universe_state.hpp>

namespace astd::sim {

net::ip_address host::address() const noexcept {
  // As world::add_machine() gives them: 10.0.0.1, 10.0.0.2...
  return net::ipv4_address::from_bits(0x0a000001 + state_->machine.number());
}
std::string host::output() const { return {}; }
void universe::set_link(which, which, const link&) {}
void universe::set_links(const link&) {}
void universe::partition(which, which) {}
void universe::partition_one_way(which, which) {}
void universe::partition(std::span<host* const>, std::span<host* const>) {}
void universe::isolate(which) {}
void universe::heal() {}
void universe::heal(which, which) {}
void universe::clog(which) {}
void universe::release(which) {}

}  // namespace astd::sim
