// Internal: what command::output() and pipeline::output() share.
#pragma once

#include <astd/process/child.hpp>

#include <string>

namespace astd::process::detail {

/// Reads what is piped to its end, both at the same time, then waits for the child. All three outlive the task.
task<exit_status> collect(child& one, std::string& output, std::string& error);

}  // namespace astd::process::detail
