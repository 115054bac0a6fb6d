// socketpair(): two stream sockets of a simulated machine that know nobody but each other.
#pragma once

#include <astd/driver/sim/open_file.hpp>

#include <memory>
#include <utility>

namespace astd::driver::sim {

class machine;

/// Both ends; `on` lives longer. Each direction keeps world_options::socket_room bytes. No ancillary data, no options.
[[nodiscard]] std::pair<std::shared_ptr<open_file>, std::shared_ptr<open_file>> make_local_pair(machine& on);

}  // namespace astd::driver::sim
