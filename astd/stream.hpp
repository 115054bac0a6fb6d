// Streams: ranges whose elements may have to be waited for.
//
//   auto big = co_await (numbers | astd::stream::filter([](int n) { return n > 100; })
//                                | astd::stream::take(10)
//                                | astd::stream::to<std::vector>());
#pragma once

#include <astd/stream/collect.hpp>
#include <astd/stream/compare.hpp>
#include <astd/stream/concurrent.hpp>
#include <astd/stream/ends.hpp>
#include <astd/stream/filter.hpp>
#include <astd/stream/flatten.hpp>
#include <astd/stream/generator.hpp>
#include <astd/stream/group.hpp>
#include <astd/stream/sources.hpp>
#include <astd/stream/timing.hpp>
#include <astd/stream/transform.hpp>
