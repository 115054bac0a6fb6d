// Which driver a user asks for.
#pragma once

#include <cstdint>
#include <string_view>

namespace astd::driver {

enum class choice : std::uint8_t { automatic, uring, epoll };

/// "uring", "epoll" and "auto" (also ""); nothing else.
[[nodiscard]] bool parse_choice(std::string_view text, choice& result) noexcept;

}  // namespace astd::driver
