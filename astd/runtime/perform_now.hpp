// Operations that cannot block (names, options, making sockets) from plain functions and destructors.
#pragma once

#include <astd/driver/operation.hpp>

namespace astd::detail {

/// Carries `op` out at once: by this thread's loop, else by the driver floor's plain system calls. op.result holds
/// afterwards; op.completed is not called. Only for operations that every driver ends inside submit().
void perform_now(driver::operation& op) noexcept;

/// The same on a thread that need not have a loop, by plain calls; the thread may block as long as they do.
void perform_outside(driver::operation& op) noexcept;

}  // namespace astd::detail
