// Internal: waiting for children whose handles have gone.
#pragma once

namespace astd::process::detail {

/// Takes over a pidfd: the process behind it is reaped when it ends, and the descriptor closed. By a thread, which is
/// started at the first call. Never waits. Any thread.
void reap_later(int pidfd) noexcept;

}  // namespace astd::process::detail
