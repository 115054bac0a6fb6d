// condition_variable: waits, with a mutex given up meanwhile, until somebody says that something has changed.
//
//   auto guard = co_await m.lock();
//   co_await changed.wait(guard, [&] { return !queue.empty(); });
#pragma once

#include <astd/sync/condition_variable.hpp>
