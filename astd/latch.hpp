// latch: waits until a number of things have been done.
//
//   astd::latch done(2);
//   co_await done.wait();
#pragma once

#include <astd/sync/latch.hpp>
