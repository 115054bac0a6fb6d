// A signal that makes the runtime print its tasks: for a process that seems to hang.
#pragma once

namespace astd::detail {

class runtime_core;

/// Whether `signal` is one that programs may have: not one that reports a program's own error or cannot be caught.
[[nodiscard]] bool may_dump_on(int signal) noexcept;
/// From now on `signal` prints core's dump_tasks() on standard error. The handler only writes to a pipe; a thread of
/// its own does the rest. Throws system_error naming the signal if it cannot be had.
void dump_on_signal(runtime_core& core, int signal);
/// Ends that, before `core` ends. Nothing if it had not begun.
void stop_dumping(runtime_core& core) noexcept;

}  // namespace astd::detail
