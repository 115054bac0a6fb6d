// The seed of a simulated world, as the environment says it.
#pragma once

#include <cstdint>
#include <string_view>

namespace astd::detail {

/// Decimal, or 0x and hexadecimal; all of `text`. False, and `number` unchanged, if it is anything else.
[[nodiscard]] bool read_number(std::string_view text, std::uint64_t& number) noexcept;

/// ASTD_SIM_SEED, or `otherwise` if that is not set. Throws system_error (invalid_argument), naming it, for what is no
/// number.
[[nodiscard]] std::uint64_t seed_from_environment(std::uint64_t otherwise);

}  // namespace astd::detail
