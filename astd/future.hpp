// What can be made of awaitables: join, race, select, timeout, shield, finally, and errors as values; and promises.
//
//   auto both = co_await astd::join(fetch(a), fetch(b));
//   auto page = co_await astd::as_result(astd::timeout(5s, astd::race(fetch(a), fetch(b))));
//   if (!page) ...page.error()...
//
// Whatever can stand behind co_await fits in everywhere, what these functions return included. Nothing starts before
// the whole is awaited, and when that is over, everything in it has ended.
#pragma once

#include <astd/channel/promise.hpp>
#include <astd/channel/shared.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/lost.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/poll_fn.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/select.hpp>
#include <astd/coro/shield.hpp>
#include <astd/sync/with_cancel.hpp>
#include <astd/time/delay.hpp>
#include <astd/time/timeout.hpp>
