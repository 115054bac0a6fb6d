// The processors that this process may use.
#pragma once

namespace astd::detail {

/// How many; at least 1.
[[nodiscard]] unsigned usable_processors() noexcept;
/// Binds the calling thread to the n-th of them (counted round). A hint: errors are ignored.
void pin_this_thread(unsigned n) noexcept;

}  // namespace astd::detail
