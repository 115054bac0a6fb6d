// What the operations of channels fail with.
#pragma once

#include <astd/base/error.hpp>

#include <system_error>

namespace astd {

/// Each equals the std::errc that is named, with a text that fits.
enum class channel_errc {
  closed = 1,  // == std::errc::broken_pipe: no message goes through any more
  full,        // == std::errc::resource_unavailable_try_again: no place is free now
  empty,       // == std::errc::resource_unavailable_try_again: no message is there now
  lagged,      // a receiver of a broadcast was too slow: messages are gone that it never saw
};
[[nodiscard]] std::error_code make_error_code(channel_errc e) noexcept;

}  // namespace astd

template <>
struct std::is_error_code_enum<astd::channel_errc> : std::true_type {};
