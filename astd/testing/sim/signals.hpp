// What the system does about a signal that nobody listens to.
#pragma once

namespace astd::sim::detail {

enum class default_action : unsigned char { end, stop, go_on, nothing };
[[nodiscard]] default_action default_action_of(int signal) noexcept;
/// Whether a program is asked what it thinks of it.
[[nodiscard]] bool can_be_handled(int signal) noexcept;
/// Throws std::invalid_argument, which names it.
void check_signal(int signal);

}  // namespace astd::sim::detail
