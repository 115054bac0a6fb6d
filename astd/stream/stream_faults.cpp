// Streams under fault: see tests/faults/faults.hpp.
#include <astd/stream.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <tests/faults/faults.hpp>

#include <chrono>
#include <utility>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using faults::tracked;

generator<tracked> inner() {
  for (int i = 0; i < 2; ++i) {
    co_await this_task::yield();
    co_yield tracked();
  }
}
generator<tracked> outer() {
  tracked here;
  co_yield elements_of(inner());
  co_await this_task::sleep_for(20us);
  co_yield std::move(here);
}
task<tracked> kept(tracked x) {
  co_await this_task::yield();
  co_return x;
}

ASTD_OPERATION(stream_of_nested_generators) {
  auto n = co_await (outer() | stream::transform(kept) | stream::chunk(2) | stream::count());
  EXPECT_EQ(n, 2u);
}
ASTD_OPERATION(stream_merged_and_buffered) {
  auto n = co_await (stream::merge(outer(), outer()) | stream::transform(kept) | stream::buffered(2) |
                     stream::timeout(1h) | stream::count());
  EXPECT_EQ(n, 6u);
}

}  // namespace
