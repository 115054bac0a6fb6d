#include <astd/driver/sim/disk.hpp>
#include <astd/testing/sim/universe_state.hpp>

namespace astd::sim {

std::string host::output() const { return state_->machine.storage().streams().output(); }
std::string host::error_output() const { return state_->machine.storage().streams().error(); }

}  // namespace astd::sim
