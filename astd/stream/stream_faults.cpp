// Streams under fault: see tests/faults/faults.hpp.
#include <astd/coro/lost.hpp>
#include <astd/stream.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <tests/faults/faults.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <string_view>
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

// What runs behind a stream is stopped and awaited by its end whatever happens: that, too, needs no memory.
std::atomic<int> sources_alive = 0, lost = 0;
struct merging final : faults::scenario {
  merging() {
    lost = 0;
    before_ = set_lost_exception_handler([](std::exception_ptr, std::string_view) noexcept { ++lost; });
  }
  ~merging() override { set_lost_exception_handler(before_); }
  struct source_guard {
    source_guard() { ++sources_alive; }
    source_guard(const source_guard&) = delete;
    ~source_guard() { --sources_alive; }
  };
  static generator<tracked> source() {
    const source_guard here;
    for (;;) {
      co_await this_task::sleep_for(20us);
      co_yield tracked();
    }
  }
  task<> operation() override {
    // Destroyed last, when the await below has ended, however it did.
    struct looks {
      looks() = default;
      looks(const looks&) = delete;
      ~looks() { EXPECT_EQ(sources_alive, 0) << "left behind by the end of a stream"; }
    };
    const looks at_the_end;
    auto three = co_await (stream::merge(source(), source()) | stream::transform(kept) | stream::buffered(2) |
                           stream::chunks_timeout(1, 1h) | stream::take(3) | stream::count());
    EXPECT_EQ(three, 3u);
  }
  void check(const faults::report&) override { EXPECT_EQ(lost, 0) << "a cleanup that failed"; }

 private:
  lost_exception_handler before_ = nullptr;
};
ASTD_SCENARIO(merging);

}  // namespace
