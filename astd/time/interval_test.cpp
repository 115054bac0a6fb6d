// interval: ticks that do not drift, and what is done about those that were missed. delay: later.
#include <astd/coro/as_result.hpp>
#include <astd/coro/poll_fn.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/delay.hpp>
#include <astd/time/interval.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::virtual_time;
using moment = steady_clock::time_point;
using pauses = std::vector<std::chrono::milliseconds>;

// When the ticks come (and, with a sign, when they were due), in milliseconds since `begin`, if each is worked on for as
// long as `work` says.
task<std::vector<long>> come(interval& ticks, moment begin, pauses work) {
  std::vector<long> out;
  for (const auto& w : work) {
    const auto due = co_await ticks.next();
    EXPECT_TRUE(due.has_value());
    out.push_back((steady_clock::now() - begin) / 1ms);
    if (due) out.push_back(-((*due - begin) / 1ms));
    co_await this_task::sleep_for(w);
  }
  co_return out;
}

ASTD_TEST_WITH(interval, ticks_without_drift, virtual_time()) {
  const moment begin = steady_clock::now();
  interval ticks(10ms);
  EXPECT_EQ(ticks.period(), 10ms);
  const pauses seen_work{0ms, 3ms, 9ms, 1ms, 0ms};
  const auto seen = co_await come(ticks, begin, seen_work);
  EXPECT_EQ(seen, (std::vector<long>{10, -10, 20, -20, 30, -30, 40, -40, 50, -50}));
}

ASTD_TEST_WITH(interval, begins_when_it_is_told, virtual_time()) {
  const moment begin = steady_clock::now();
  auto at_once = interval_at(begin, 10ms);
  const pauses seen_work{0ms, 0ms, 0ms};
  const auto seen = co_await come(at_once, begin, seen_work);
  EXPECT_EQ(seen, (std::vector<long>{0, 0, 10, -10, 20, -20}));
  auto later = interval_at(begin + 100ms, 10ms);
  const pauses then_work{0ms, 0ms};
  const auto then = co_await come(later, begin, then_work);
  EXPECT_EQ(then, (std::vector<long>{100, -100, 110, -110}));
  auto today = interval_at(system_clock::now() + 5ms, 1h);
  const pauses one_work{0ms};
  const auto one = co_await come(today, begin, one_work);
  EXPECT_EQ(one, (std::vector<long>{115, -115}));
}

// A tick that was worked on from 10 to 45 misses those of 20, 30 and 40.
ASTD_TEST_WITH(interval, missed_ticks_burst, virtual_time()) {
  const moment begin = steady_clock::now();
  interval ticks(10ms);
  const pauses seen_work{35ms, 0ms, 0ms, 0ms, 0ms, 0ms};
  const auto seen = co_await come(ticks, begin, seen_work);
  EXPECT_EQ(seen, (std::vector<long>{10, -10, 45, -20, 45, -30, 45, -40, 50, -50, 60, -60}));
}
ASTD_TEST_WITH(interval, missed_ticks_delay, virtual_time()) {
  const moment begin = steady_clock::now();
  interval ticks(10ms, missed_tick::delay);
  EXPECT_EQ(ticks.missed(), missed_tick::delay);
  const pauses seen_work{35ms, 0ms, 0ms, 0ms};
  const auto seen = co_await come(ticks, begin, seen_work);
  EXPECT_EQ(seen, (std::vector<long>{10, -10, 45, -20, 55, -55, 65, -65}));
}
ASTD_TEST_WITH(interval, missed_ticks_skip, virtual_time()) {
  const moment begin = steady_clock::now();
  interval ticks(10ms, missed_tick::skip);
  const pauses seen_work{35ms, 0ms, 0ms, 15ms, 0ms};
  const auto seen = co_await come(ticks, begin, seen_work);
  EXPECT_EQ(seen, (std::vector<long>{10, -10, 45, -20, 50, -50, 60, -60, 75, -70}));
  // Exactly on a tick: that one is due.
  const pauses exact_work{20ms, 0ms, 0ms};
  const auto exact = co_await come(ticks, begin, exact_work);
  EXPECT_EQ(exact, (std::vector<long>{80, -80, 100, -90, 110, -110}));
}

ASTD_TEST_WITH(interval, late_but_not_missed_keeps_the_rhythm, virtual_time()) {
  for (const auto policy : {missed_tick::burst, missed_tick::delay, missed_tick::skip}) {
    const moment begin = steady_clock::now();
    interval ticks(10ms);
    ticks.set_missed(policy);
    const pauses seen_work{12ms, 0ms, 0ms};
    const auto seen = co_await come(ticks, begin, seen_work);
    EXPECT_EQ(seen, (std::vector<long>{10, -10, 22, -20, 30, -30}));
  }
}

ASTD_TEST_WITH(interval, is_reset, virtual_time()) {
  const moment begin = steady_clock::now();
  interval ticks(10ms);
  co_await this_task::sleep_for(7ms);
  ticks.reset();
  const pauses seen_work{0ms, 0ms};
  const auto seen = co_await come(ticks, begin, seen_work);
  EXPECT_EQ(seen, (std::vector<long>{17, -17, 27, -27}));
  ticks.reset_at(begin + 100ms);
  const pauses then_work{0ms, 0ms};
  const auto then = co_await come(ticks, begin, then_work);
  EXPECT_EQ(then, (std::vector<long>{100, -100, 110, -110}));
}

ASTD_TEST_WITH(interval, cancelling_loses_no_tick, virtual_time()) {
  const moment begin = steady_clock::now();
  interval ticks(10ms);
  for (int i = 0; i < 9; ++i) {
    const auto none = co_await as_result(timeout(1ms, ticks.next()));
    EXPECT_FALSE(none.has_value());
  }
  const pauses seen_work{0ms, 0ms};
  const auto seen = co_await come(ticks, begin, seen_work);
  EXPECT_EQ(seen, (std::vector<long>{10, -10, 20, -20}));
}

ASTD_TEST_WITH(interval, of_more_than_the_clock_never_ticks_twice, virtual_time()) {
  auto once = interval_at(steady_clock::now(), std::chrono::hours::max());
  co_await once.next();
  const auto none = co_await as_result(timeout(24h * 365, once.next()));
  EXPECT_FALSE(none.has_value());
}

// An interval that is always late does not keep others from their turn.
ASTD_TEST(interval, a_burst_lets_others_run) {
  std::atomic<bool> done = false;
  auto other = [](std::atomic<bool>& d) -> task<> {
    for (int i = 0; i < 20; ++i) co_await this_task::yield();
    d = true;
  };
  auto ticks = interval_at(steady_clock::now() - 1h, 1ns);
  auto h = spawn(other, std::ref(done));
  while (!done) co_await ticks.next();
  co_await h;
}

// ---- delay

task<int> gives(int n) {
  const counted local;
  co_await this_task::yield();
  co_return n;
}

ASTD_TEST_WITH(delay, is_later, virtual_time()) {
  const moment begin = steady_clock::now();
  const auto one = co_await delay(5s, gives(1));
  EXPECT_EQ(one, 1);
  EXPECT_EQ(steady_clock::now() - begin, 5s);
  const auto two = co_await delay(0s, ready(2));
  EXPECT_EQ(two, 2);
  const auto owner = co_await delay(1ns, ready(std::make_unique<int>(3)));
  EXPECT_EQ(*owner, 3);
  co_await delay(1s, delay(1s, this_task::sleep_for(1s)));
  EXPECT_EQ(steady_clock::now() - begin, 8s + 1ns);
  auto handle = spawn(gives(4));
  const auto four = co_await delay(1s, handle);
  EXPECT_EQ(four, 4);
}

ASTD_TEST_WITH(delay, does_not_begin_before, virtual_time()) {
  bool begun = false;
  auto begins = [](bool& b) -> task<> {
    b = true;
    co_return;
  };
  const auto late = co_await as_result(timeout(1s, delay(2s, begins(begun))));
  EXPECT_FALSE(late.has_value());
  EXPECT_FALSE(begun);
  // And is cancelled when it has begun.
  const auto body = co_await as_result(timeout(3s, delay(2s, test::for_ever())));
  EXPECT_FALSE(body.has_value());
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST_WITH(delay, failures_pass, virtual_time()) {
  auto throws = []() -> task<int> {
    co_await this_task::yield();
    throw std::runtime_error("from inside");
  };
  const auto how = co_await test::how_it_ends(delay(1s, throws()));
  EXPECT_EQ(how, "from inside");
  int asked = 0;
  auto look = [&asked](const waker&) -> bool {
    ++asked;
    throw std::runtime_error("from the first look");
  };
  const auto polled = co_await test::how_it_ends(delay(1s, poll_fn(look)));
  EXPECT_EQ(polled, "from the first look");
  EXPECT_EQ(asked, 1);
}

ASTD_TEST_WITH(delay, in_composites_and_cancelled_at_any_moment, virtual_time()) {
  const auto first = co_await race(delay(2s, gives(2)), delay(1s, gives(1)));
  EXPECT_EQ(first, 1);
  auto body = []() -> task<> {
    const counted local;
    for (;;) co_await delay(1ms, delay(1ms, gives(1)));
  };
  for (int i = 0; i < 100; ++i) {
    auto h = spawn(body);
    co_await this_task::sleep_for(std::chrono::microseconds(i * 50));
    const auto none = co_await h.cancel();
    EXPECT_FALSE(none.has_value());
  }
  EXPECT_EQ(counted::live(), 0);
}

TEST(interval, refuses_a_period_that_is_not_more_than_zero) {
  EXPECT_THROW(interval(0ms), std::invalid_argument);
  EXPECT_THROW(interval(-1ns), std::invalid_argument);
  EXPECT_THROW((void)interval_at(steady_clock::now(), 0s), std::invalid_argument);
}

}  // namespace
