// mutex: a lock that may be held across awaits. As std's <mutex>, this brings timed_mutex, lock and call_once, too.
//
//   astd::mutex m;
//   auto guard = co_await m.lock();
#pragma once

#include <astd/sync/call_once.hpp>
#include <astd/sync/lock_several.hpp>
#include <astd/sync/mutex.hpp>
#include <astd/sync/timed_mutex.hpp>
