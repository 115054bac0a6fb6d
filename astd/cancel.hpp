// Requests to stop that reach beyond the scope of a task: sources, tokens, callbacks.
//
//   astd::cancel_source stop;
//   auto served = astd::spawn(serve(listener, stop.token()));
//   co_await astd::with_cancel(stop.token(), work());
#pragma once

#include <astd/sync/cancel_token.hpp>
#include <astd/sync/with_cancel.hpp>
