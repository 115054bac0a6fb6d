// Internal: opcode::copy_file by system calls.
#pragma once

#include <astd/driver/operation.hpp>

namespace astd::driver {

/// Blocks.
[[nodiscard]] std::int32_t copy_file(const operation& op) noexcept;

}  // namespace astd::driver
