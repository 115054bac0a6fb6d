#include <astd/testing/sim/universe_state.hpp>

namespace astd::sim {

std::string host::output() const { return {}; }
std::string host::error_output() const { return {}; }

}  // namespace astd::sim
