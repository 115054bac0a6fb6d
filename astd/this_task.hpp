// The running task: yield, sleep, who am I.
#pragma once

#include <astd/runtime/this_task.hpp>
