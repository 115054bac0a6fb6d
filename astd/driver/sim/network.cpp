#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/network.hpp>

#include <cerrno>

namespace astd::driver::sim {

network::network(world& of) : world_(of) { static_cast<void>(world_); }
network::~network() = default;

network_stack::network_stack(machine& of) : machine_(of) { static_cast<void>(machine_); }
network_stack::~network_stack() = default;
std::int32_t network_stack::make_socket(operation&) noexcept { return -EAFNOSUPPORT; }
void network_stack::crash() noexcept {}

}  // namespace astd::driver::sim
