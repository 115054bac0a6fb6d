// What a scenario or the environment may ask for, and what makes no sense: that is refused before it does harm.
#pragma once

#include <astd/testing/sim/options.hpp>

#include <string_view>

namespace astd::sim::detail {

// Each throws std::invalid_argument, which names the value.

/// A probability: 0 to 1.
void check_rate(double rate, std::string_view what);
void check_faults(const fault_rates& rates);
void check_link(const link& l);
void check_options(const options& o);
/// A name that lookups take for one: labels of letters, digits, '-' and '_', with dots between them, and not an address.
void check_host_name(std::string_view name);
/// How fast a clock runs: more than -1, at which it stands.
void check_drift(double rate);
/// A length that can be slept: from `least` to a year.
void check_length(std::chrono::nanoseconds length, std::chrono::nanoseconds least, std::string_view what);
/// How often something is drawn, relative to others: 0 to a billion.
void check_weight(double weight, std::string_view what);

}  // namespace astd::sim::detail
