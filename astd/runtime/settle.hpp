// What a fresh task has been spared so far, done when it is about to suspend for the first time.
//
// A spawned task that its parent joins before anyone else has run it is little more than a call: the parent's join
// transfers to it, and if it ends without suspending the parent goes on, all on one thread. Nobody else can have seen
// either of them wait, so nothing is published and no list is entered: no read-modify-write, save the one that takes
// the task out of a queue which others steal from. Only when such a task suspends does the rest follow, for it and for all those that wait for each other on its thread in this way.
#pragma once

#include <astd/coro/task_header.hpp>

namespace astd::detail {

/// On the thread that runs `t`, which is fresh.
void settle_task(task_header& t) noexcept;
/// The same for the task that this thread runs, if there is one and it is fresh: for whoever holds on to the stack, or
/// wants to be seen.
void settle_current_task() noexcept;

}  // namespace astd::detail
