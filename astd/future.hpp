// What can be made of awaitables: join, race, select, timeout, errors as values, shields.
#pragma once

#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/lost.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/poll_fn.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/select.hpp>
#include <astd/coro/shield.hpp>
#include <astd/time/timeout.hpp>
