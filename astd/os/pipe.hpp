// os::pipe(): both ends of a new pipe.
//
//   auto [reader, writer] = os::pipe();
#pragma once

#include <astd/io/pipe.hpp>

#include <utility>

namespace astd::os {

using io::pipe_reader;
using io::pipe_writer;

/// Throws system_error if the system refuses: "pipe: Too many open files".
[[nodiscard]] std::pair<pipe_reader, pipe_writer> pipe();

}  // namespace astd::os
