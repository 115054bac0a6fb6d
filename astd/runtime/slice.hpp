// The time slice of operations that end at once, for those who do not touch the world: a task that never suspends is to
// let the others run now and then.
#pragma once

namespace astd::detail {

/// An operation is about to end without suspending. False: it is time to let others run first. Any thread; one that runs
/// no tasks has all the time there is.
[[nodiscard]] bool spend_slice() noexcept;

}  // namespace astd::detail
