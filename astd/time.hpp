// Time limits; sleeping is in <astd/this_task.hpp>.
#pragma once

#include <astd/runtime/this_task.hpp>
#include <astd/time/timeout.hpp>
