// A chain of awaits as text: where each of its frames waits, and for what. Reads links only and resumes nothing.
#pragma once

#include <astd/coro/chain.hpp>

#include <string>

namespace astd::detail {

/// Appends one line for each frame, innermost first, indented by `depth`, without a final newline:
///     waits in sleep
///       at fetch(), client.cpp:42
///       at async_main(), client.cpp:7
/// The chain must not run meanwhile.
void describe_chain(const chain& c, std::string& out, unsigned depth);

}  // namespace astd::detail
