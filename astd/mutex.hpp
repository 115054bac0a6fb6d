// mutex: a lock that may be held across awaits.
//
//   astd::mutex m;
//   auto guard = co_await m.lock();
#pragma once

#include <astd/sync/lock_several.hpp>
#include <astd/sync/mutex.hpp>
