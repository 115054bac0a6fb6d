// Signals, awaited; and ending well.
//
//   co_await astd::signal::ctrl_c();
#pragma once

#include <astd/signal/graceful.hpp>
#include <astd/signal/stream.hpp>
