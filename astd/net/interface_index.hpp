// Internal: the index of a network interface by its name. Each platform has a source file of its own for it.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <system_error>

namespace astd::net::detail {

/// The index, never 0, of the interface `name` of this machine. Asks the system and does not block.
/// Fails with address_errc::unknown_interface if there is none, else with the system's error (too many open files).
std::expected<std::uint32_t, std::error_code> interface_index(std::string_view name) noexcept;

}  // namespace astd::net::detail
