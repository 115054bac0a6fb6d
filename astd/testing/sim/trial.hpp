// What is tried for a test in a simulated world: the seeds that the environment wants, with a report that people can act on.
#pragma once

#include <astd/testing/sim/hunt.hpp>

#include <string>

namespace astd::sim::detail {

/// Says on standard output which seeds it takes, then tries them: ASTD_SIM_SEEDS of them (10), or ASTD_SIM_SEED alone.
/// Gives what went wrong, and how to see it again; nothing if nothing did. Throws system_error (invalid_argument) for a
/// variable that makes no sense.
std::string run_trial(const char* suite, const char* test, attempt& what);

}  // namespace astd::sim::detail
