// Time limits, and the sleeps of <astd/this_task.hpp>.
//
//   auto page = co_await astd::timeout(5s, fetch(url));
#pragma once

#include <astd/runtime/this_task.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/timeout.hpp>
