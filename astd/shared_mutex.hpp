// shared_mutex: many readers or one writer, for tasks.
//
//   astd::shared_mutex m;
//   auto reading = co_await m.lock_shared();
#pragma once

#include <astd/sync/shared_mutex.hpp>
