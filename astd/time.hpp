// Clocks, limits, timers, ticks, queues of what is to come later; and the sleeps of <astd/this_task.hpp>.
//
//   auto page = co_await astd::timeout(5s, fetch(url));
//   astd::interval ticks(1s);
//   auto due = co_await ticks.next();
#pragma once

#include <astd/runtime/this_task.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/delay.hpp>
#include <astd/time/delay_queue.hpp>
#include <astd/time/interval.hpp>
#include <astd/time/timeout.hpp>
#include <astd/time/timer.hpp>
