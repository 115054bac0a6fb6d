// event: tells tasks that something has changed.
//
//   astd::event changed;
//   co_await changed.wait();
#pragma once

#include <astd/sync/event.hpp>
