// Timers, ticks and what comes later, under fault: see tests/faults/faults.hpp.
#include <astd/future.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <tests/faults/faults.hpp>

#include <atomic>
#include <chrono>
#include <tuple>
#include <utility>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using faults::report;
using faults::scenario;
using faults::tracked;

task<tracked> yields(int times, tracked value) {
  for (int i = 0; i < times; ++i) co_await this_task::yield();
  co_return value;
}

// Moved by another thread while it is waited for.
struct timer_that_is_moved final : scenario {
  task<> operation() override {
    t.reset(1h);
    waiting = true;
    co_await t;
    t.reset(20us);
    const auto some = co_await select(t, yields(3, tracked()));
    static_cast<void>(some);
  }
  void meanwhile() override {
    if (waiting.exchange(false)) t.reset(10us);
  }
  astd::timer t;
  std::atomic<bool> waiting = false;
};
ASTD_SCENARIO(timer_that_is_moved);

// What goes in comes out, or stays.
struct delay_queue_of_three final : scenario {
  task<> operation() override {
    for (int i = 0; i < 3; ++i) inserted += q.insert(i, tracked(), std::chrono::microseconds(10 * i));
    for (int i = 0; i < 3; ++i) {
      auto e = co_await q.next();
      given += e.has_value();
    }
  }
  void check(const report&) override { EXPECT_EQ(inserted, given + static_cast<int>(q.size())); }
  delay_queue<int, tracked> q;
  int inserted = 0, given = 0;
};
ASTD_SCENARIO(delay_queue_of_three);

}  // namespace

ASTD_OPERATION(ticks_of_an_interval) {
  interval ticks(10us);
  for (int i = 0; i < 3; ++i) co_await ticks.next();
}

ASTD_OPERATION(delay_of_a_task) {
  const auto value = co_await delay(20us, yields(2, tracked()));
  static_cast<void>(value);
}
