// barrier: so many wait for each other, again and again.
//
//   astd::barrier b(3);
//   co_await b.arrive_and_wait();
#pragma once

#include <astd/sync/barrier.hpp>
