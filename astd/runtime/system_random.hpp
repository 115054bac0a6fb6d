// What the system knows that nobody can guess.
#pragma once

#include <cstdint>

namespace astd::detail {

/// 64 bits from the system. Never fails: where the system has none yet, the time and an address must do.
[[nodiscard]] std::uint64_t system_random() noexcept;

}  // namespace astd::detail
