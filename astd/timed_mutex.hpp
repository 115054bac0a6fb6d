// timed_mutex: a mutex that one can wait for for a while.
//
//   auto guard = co_await m.try_lock_for(100ms);
#pragma once

#include <astd/sync/timed_mutex.hpp>
