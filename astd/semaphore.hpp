// counting_semaphore, binary_semaphore: so many at a time, for tasks.
//
//   astd::counting_semaphore<> connections(100);
//   auto permit = co_await connections.acquire_permit();
#pragma once

#include <astd/sync/semaphore.hpp>
