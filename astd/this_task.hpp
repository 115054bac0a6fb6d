// The running task: sleep, yield, who am I, am I to stop.
//
//   co_await astd::this_task::sleep_for(10ms);
#pragma once

#include <astd/runtime/this_task.hpp>
