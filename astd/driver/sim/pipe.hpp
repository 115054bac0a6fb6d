// An anonymous pipe of a simulated machine: bytes in memory, as many as Linux keeps, and two ends.
#pragma once

#include <astd/driver/sim/open_file.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace astd::driver::sim {

class machine;

/// So many bytes wait in a pipe; whoever writes more waits.
inline constexpr std::size_t pipe_capacity = 65'536;
/// Up to so many are written all at once, or not yet.
inline constexpr std::size_t pipe_atomic = 4'096;

/// What is read from, and what is written to. `on` lives longer.
[[nodiscard]] std::pair<std::shared_ptr<open_file>, std::shared_ptr<open_file>> make_pipe(machine& on);

/// What is at its end for whoever reads, and takes all that is written.
[[nodiscard]] std::shared_ptr<open_file> make_null_stream();

}  // namespace astd::driver::sim
