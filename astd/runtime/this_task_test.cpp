// this_task: yielding, sleeping, and asking who we are.
#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/task_builder.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using test::counted;
using test::flag;

// ---- yield

TEST(this_task, yield_lets_the_others_go_first) {
  // On one thread the order is certain: round and round.
  runtime rt({.workers = 0, .name = "order"});
  std::string order;
  auto writer = [](std::string& text, char c) -> task<> {
    for (int i = 0; i < 3; ++i) {
      text += c;
      co_await this_task::yield();
    }
  };
  auto body = [&]() -> task<> {
    auto all = join(writer(order, 'a'), writer(order, 'b'), writer(order, 'c'));
    co_await std::move(all);
  };
  rt.block_on(body());
  EXPECT_EQ(order, "abcabcabc");
}

ASTD_TEST(this_task, yield_of_a_thousand_tasks) {
  std::atomic<int> total = 0;
  auto yields = [](std::atomic<int>& n) -> task<> {
    for (int i = 0; i < 100; ++i) {
      co_await this_task::yield();
      ++n;
    }
  };
  std::vector<join_handle<>> handles;
  for (int i = 0; i < 1000; ++i) handles.push_back(spawn(yields, std::ref(total)));
  for (auto& h : handles) co_await h;
  EXPECT_EQ(total, 100'000);
}

ASTD_TEST(this_task, a_task_that_only_yields_can_be_cancelled) {
  flag begun;
  auto body = [](flag& b) -> task<> {
    const counted local;
    b.set();
    for (;;) co_await this_task::yield();
  };
  auto h = spawn(body, std::ref(begun));
  co_await begun.wait();
  const auto none = co_await h.cancel();
  EXPECT_FALSE(none.has_value());
  EXPECT_EQ(counted::live(), 0);
}

// ---- sleep

ASTD_TEST(this_task, sleep_is_never_too_short) {
  for (const auto d : {1ns, 999ns, 20'000ns, 65'536ns, 131'073ns, 1'000'000ns, 3'141'592ns}) {
    const auto before = clock::now();
    co_await this_task::sleep_for(d);
    const auto slept = clock::now() - before;
    EXPECT_GE(slept, d);
  }
  const auto before = clock::now();
  co_await this_task::sleep_for(std::chrono::duration<double, std::milli>(1.5));
  const auto slept = clock::now() - before;
  EXPECT_GE(slept, 1500us);
}

ASTD_TEST(this_task, sleep_for_nothing_goes_on_at_once) {
  co_await this_task::sleep_for(0s);
  co_await this_task::sleep_for(-1h);
  co_await this_task::sleep_for(std::chrono::hours::min());
  co_await this_task::sleep_for(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()));
  co_await this_task::sleep_until(clock::now() - 1h);
  co_await this_task::sleep_until(clock::time_point::min());
  co_await this_task::sleep_until(std::chrono::sys_days::min());
  co_await this_task::sleep_until(std::chrono::system_clock::now() - 1h);
}

// If one of them overflowed it would win.
ASTD_TEST(this_task, sleep_for_very_long_is_for_ever) {
  const auto first = co_await race(
      [] -> task<int> {
        co_await this_task::sleep_for(std::chrono::hours::max());
        co_return 1;
      }(),
      [] -> task<int> {
        co_await this_task::sleep_for(std::chrono::nanoseconds::max());
        co_return 2;
      }(),
      [] -> task<int> {
        co_await this_task::sleep_until(clock::time_point::max());
        co_return 3;
      }(),
      [] -> task<int> {
        co_await this_task::sleep_until(std::chrono::system_clock::time_point::max());
        co_return 4;
      }(),
      [] -> task<int> {
        co_await this_task::sleep_until(std::chrono::sys_days::max());
        co_return 7;
      }(),
      [] -> task<int> {  // its epoch lies ahead of us
        co_await this_task::sleep_until(std::chrono::file_clock::time_point::max());
        co_return 8;
      }(),
      [] -> task<int> {
        co_await this_task::sleep_for(std::chrono::duration<double>(1e300));
        co_return 5;
      }(),
      [] -> task<int> {
        co_await this_task::sleep_for(std::chrono::years(200));
        co_return 6;
      }(),
      [] -> task<int> {
        co_await this_task::sleep_for(5ms);
        co_return 0;
      }());
  EXPECT_EQ(first, 0);
}

ASTD_TEST(this_task, sleep_until_a_moment_of_either_clock) {
  const auto steady = clock::now() + 2ms;
  co_await this_task::sleep_until(steady);
  EXPECT_GE(clock::now(), steady);
  const auto from = clock::now();
  const auto system = std::chrono::system_clock::now() + 2ms;
  co_await this_task::sleep_until(system);
  // Not compared on the system clock, which may be set meanwhile.
  const auto slept = clock::now() - from;
  EXPECT_GE(slept, 1900us) << "the clock may have gone on between the two readings, but not that far";
  const auto coarse = std::chrono::time_point_cast<std::chrono::seconds>(clock::now());
  co_await this_task::sleep_until(coarse);
}

ASTD_TEST(this_task, many_sleepers_wake_in_the_order_of_time) {
  struct seen {
    std::atomic<int> early = 0, count = 0;
  } s;
  auto sleeper = [](seen& to, clock::time_point deadline) -> task<> {
    co_await this_task::sleep_until(deadline);
    if (clock::now() < deadline) ++to.early;
    ++to.count;
  };
  std::mt19937 random(1);
  std::vector<join_handle<>> handles;
  const auto now = clock::now();
  for (int i = 0; i < 5000; ++i)
    handles.push_back(spawn(sleeper, std::ref(s), now + std::chrono::microseconds(random() % 30'000)));
  for (auto& h : handles) co_await h;
  EXPECT_EQ(s.early, 0);
  EXPECT_EQ(s.count, 5000);
}

/// A clock that takes its time to be read.
struct slow_clock {
  using duration = clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<slow_clock>;
  [[maybe_unused]] static constexpr bool is_steady = true;
  static time_point now() {
    const auto end = clock::now() + 2ms;
    test::hold_until([end] { return clock::now() >= end; });
    return time_point(clock::now().time_since_epoch());
  }
};

ASTD_TEST(this_task, reading_a_clock_takes_time_and_yet_no_sleeper_wakes_early) {
  const auto deadline = clock::now() + 10ms;
  co_await this_task::sleep_until(slow_clock::time_point(deadline.time_since_epoch()));
  EXPECT_GE(clock::now(), deadline);
}

TEST(this_task, on_one_thread_sleepers_wake_in_the_order_of_their_deadlines) {
  runtime rt({.workers = 0, .name = "order"});
  std::vector<int> order;
  auto sleeper = [](std::vector<int>& to, int i, clock::time_point deadline) -> task<> {
    co_await this_task::sleep_until(deadline);
    to.push_back(i);
  };
  auto body = [&]() -> task<> {
    const auto start = clock::now() + 1ms;
    std::vector<join_handle<>> handles;
    for (int i = 0; i < 100; ++i) {
      const int place = i * 37 % 100;
      handles.push_back(spawn(sleeper, std::ref(order), place, start + place * 200us));
    }
    for (auto& h : handles) co_await h;
  };
  rt.block_on(body());
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.size(), 100u);
}

ASTD_TEST(this_task, sleepers_can_be_cancelled_at_any_moment) {
  auto sleeper = []() -> task<> {
    const counted local;
    for (;;) co_await this_task::sleep_for(50us);
  };
  for (int round = 0; round < 20; ++round) {
    std::vector<join_handle<>> handles;
    for (int i = 0; i < 50; ++i) handles.push_back(spawn(sleeper));
    co_await this_task::sleep_for(std::chrono::microseconds(round * 20));
    for (auto& h : handles) h.request_cancel();
    for (auto& h : handles) {
      const auto none = co_await h.cancel();
      EXPECT_FALSE(none.has_value());
    }
    EXPECT_EQ(counted::live(), 0);
  }
}

// ---- who we are

ASTD_TEST(this_task, knows_its_id_and_name) {
  EXPECT_EQ(this_task::name(), "this_task.knows_its_id_and_name");
  const task_id here = this_task::get_id();
  EXPECT_NE(here, 0u);
  auto below = []() -> task<task_id> {
    co_await this_task::yield();
    co_return this_task::get_id();
  };
  const auto awaited = co_await below();
  EXPECT_EQ(awaited, here);
  const auto branches = co_await join(below(), below());
  EXPECT_EQ(std::get<0>(branches), here);
  EXPECT_EQ(std::get<1>(branches), here);
  auto h = spawn(below);
  const task_id other = h.id();
  const auto spawned = co_await h;
  EXPECT_EQ(spawned, other);
  EXPECT_NE(spawned, here);
  EXPECT_EQ(this_task::get_id(), here);
}

TEST(this_task, outside_of_tasks_there_is_none) {
  EXPECT_EQ(this_task::get_id(), 0u);
  EXPECT_EQ(this_task::name(), "");
  EXPECT_FALSE(this_task::is_cancelled());
  this_task::request_cancel();
  auto body = []() -> task<task_id> { co_return this_task::get_id(); };
  EXPECT_NE(block_on(body()), 0u);
  EXPECT_EQ(this_task::get_id(), 0u);
}

ASTD_TEST(this_task, can_ask_itself_to_stop) {
  std::string trace;
  auto body = [](std::string& t) -> task<> {
    t += this_task::is_cancelled() ? "?" : "1";
    this_task::request_cancel();
    t += this_task::is_cancelled() ? "2" : "?";
    co_await this_task::yield();
    t += "too far";
  };
  auto h = spawn(body, std::ref(trace));
  const auto is = co_await test::ends_with<task_cancelled>(std::move(h));
  EXPECT_TRUE(is);
  EXPECT_EQ(trace, "12");
}

ASTD_TEST(this_task, a_computation_can_ask_whether_it_is_to_stop) {
  flag begun;
  auto computes = [](flag& b) -> task<int> {
    b.set();
    int n = 0;
    while (!this_task::is_cancelled()) ++n;
    co_return n > 0 ? 7 : 8;
  };
  // The pool's thread asks it to stop: with a single worker nobody else runs.
  auto h = spawn(computes, std::ref(begun));
  auto stops = spawn_blocking([&h, &begun] {
    begun.block();
    h.request_cancel();
  });
  co_await stops;
  const auto n = co_await h;
  EXPECT_GE(n, 7);
  // A branch of a race that has been decided.
  auto decided = []() -> task<int> { co_return 1; };
  auto asks = []() -> task<int> { co_return this_task::is_cancelled() ? 2 : 3; };
  const auto both = co_await join(race(decided(), asks()), asks());
  EXPECT_EQ(std::get<0>(both), 1);
  EXPECT_EQ(std::get<1>(both), 3);
}

}  // namespace
