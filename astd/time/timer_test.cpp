// timer: a moment that can be moved while it is waited for.
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/select.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/spawn_blocking.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/timeout.hpp>
#include <astd/time/timer.hpp>

#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::virtual_time;
using moment = steady_clock::time_point;

task<moment> waits_for(astd::timer& t) {
  const counted local;
  co_await t;
  co_return steady_clock::now();
}

ASTD_TEST_WITH(timer, goes_off_at_its_moment, virtual_time()) {
  const moment begin = steady_clock::now();
  astd::timer t(5s);
  EXPECT_EQ(t.deadline(), begin + 5s);
  EXPECT_FALSE(t.has_expired());
  co_await t;
  EXPECT_EQ(steady_clock::now() - begin, 5s);
  EXPECT_TRUE(t.has_expired());
  co_await t;  // as often as one likes
  co_await t;
  EXPECT_EQ(steady_clock::now() - begin, 5s);
  t.reset(1ns);
  EXPECT_FALSE(t.has_expired());
  co_await t;
  EXPECT_EQ(steady_clock::now() - begin, 5s + 1ns);
  t.reset_at(begin + 7s);
  co_await t;
  EXPECT_EQ(steady_clock::now(), begin + 7s);
  t.reset_at(system_clock::now() + 1s);
  co_await t;
  EXPECT_EQ(steady_clock::now(), begin + 8s);
  t.reset(-1h);
  co_await t;
  t.reset_at(begin);
  co_await t;
  EXPECT_EQ(steady_clock::now(), begin + 8s);
}

ASTD_TEST_WITH(timer, that_is_not_set_never_goes_off, virtual_time()) {
  const moment begin = steady_clock::now();
  astd::timer t;
  EXPECT_EQ(t.deadline(), std::nullopt);
  EXPECT_FALSE(t.has_expired());
  EXPECT_FALSE(t.cancel());
  const auto late = co_await as_result(timeout(1h, t));
  EXPECT_FALSE(late.has_value());
  // Set while it is waited for.
  auto waiter = spawn(waits_for(t));
  co_await this_task::sleep_for(1h);
  t.reset(1h);
  const auto woken = co_await waiter;
  EXPECT_EQ(woken - begin, 3h);
  // And too far away for the clock.
  t.reset(std::chrono::hours::max());
  EXPECT_EQ(t.deadline(), std::nullopt);
  const auto never = co_await as_result(timeout(24h, t));
  EXPECT_FALSE(never.has_value());
}

ASTD_TEST_WITH(timer, is_put_off_and_brought_forward_while_it_is_waited_for, virtual_time()) {
  const moment begin = steady_clock::now();
  astd::timer t(10s);
  auto first = spawn(waits_for(t));
  co_await this_task::sleep_for(9s);
  t.reset(10s);  // at 19
  co_await this_task::sleep_for(5s);
  EXPECT_FALSE(first.is_finished());
  t.reset(1s);  // at 15
  const auto woken = co_await first;
  EXPECT_EQ(woken - begin, 15s);
  // Taken back and set anew.
  t.reset(1s);
  auto second = spawn(waits_for(t));
  co_await this_task::sleep_for(1ms);
  EXPECT_TRUE(t.cancel());
  EXPECT_FALSE(t.cancel());
  co_await this_task::sleep_for(5s);
  EXPECT_FALSE(second.is_finished());
  t.reset(0s);
  const auto again = co_await second;
  EXPECT_EQ(again - begin, 20s + 1ms);
  EXPECT_FALSE(t.cancel()) << "its moment has come";
}

ASTD_TEST_WITH(timer, several_wait, virtual_time()) {
  const moment begin = steady_clock::now();
  astd::timer t(1min);
  std::vector<join_handle<moment>> all;
  for (int i = 0; i < 20; ++i) all.push_back(spawn(waits_for(t)));
  co_await this_task::sleep_for(1s);
  // Those in front leave, so that another has to hold the alarm.
  for (int i = 0; i < 10; ++i) {
    const auto none = co_await all[static_cast<unsigned>(i)].cancel();
    EXPECT_FALSE(none.has_value());
  }
  t.reset(10s);
  for (int i = 10; i < 20; ++i) {
    const auto woken = co_await all[static_cast<unsigned>(i)];
    EXPECT_EQ(woken - begin, 11s);
  }
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST_WITH(timer, in_composites, virtual_time()) {
  const moment begin = steady_clock::now();
  astd::timer idle(30s);
  auto message = [](std::chrono::seconds d) -> task<int> {
    co_await this_task::sleep_for(d);
    co_return 1;
  };
  for (int i = 0; i < 5; ++i) {
    const auto got = co_await select(message(20s), idle);
    EXPECT_TRUE(std::get<0>(got).has_value());
    EXPECT_FALSE(std::get<1>(got).has_value());
    idle.reset(30s);
  }
  EXPECT_EQ(steady_clock::now() - begin, 100s);
  const auto last = co_await select(message(40s), idle);
  EXPECT_TRUE(std::get<1>(last).has_value());
  EXPECT_EQ(steady_clock::now() - begin, 130s);
  auto two = join(idle, idle);
  co_await std::move(two);
}

TEST(timer, outside_of_a_runtime) {
  astd::timer t(1h);
  EXPECT_TRUE(t.cancel());
  t.reset(0s);
  auto body = [&t]() -> task<> { co_await t; };
  block_on(body());
}

// On the machine's clock: moved by tasks on other workers and by plain threads, and cancelled, all the time. Nobody
// misses the last word.
ASTD_TEST(timer, moved_and_cancelled_at_random) {
  struct world {
    astd::timer t;
    std::atomic<bool> stop = false;
    std::atomic<int> waits = 0;
  } w;
  auto mover = [](world& in, unsigned seed) -> task<> {
    std::minstd_rand random(seed);
    for (int i = 0; i < 2000; ++i) {
      switch (random() % 4) {
        case 0: in.t.reset(std::chrono::nanoseconds(random() % 100'000)); break;
        case 1: in.t.reset(1h); break;
        case 2: in.t.cancel(); break;
        default: co_await this_task::sleep_for(std::chrono::nanoseconds(random() % 20'000));
      }
    }
  };
  auto waiter = [](world& in) -> task<> {
    const counted local;
    while (!in.stop) {
      co_await in.t;
      ++in.waits;
      co_await this_task::yield();
    }
  };
  auto canceller = [](world& in, auto& wait) -> task<> {
    for (int i = 0; i < 300; ++i) {
      auto h = spawn(wait, std::ref(in));
      co_await this_task::sleep_for(std::chrono::microseconds(i % 50));
      h.request_cancel();
      co_await h.cancel();
    }
  };
  std::vector<join_handle<>> waiters, movers;
  for (int i = 0; i < 4; ++i) waiters.push_back(spawn(waiter, std::ref(w)));
  for (unsigned i = 1; i <= 3; ++i) movers.push_back(spawn(mover, std::ref(w), i));
  auto from_outside = spawn_blocking([&w] {
    std::minstd_rand random(9);
    for (int i = 0; i < 2000; ++i) w.t.reset(std::chrono::nanoseconds(random() % 200'000));
  });
  co_await canceller(w, waiter);
  for (auto& m : movers) co_await m;
  co_await from_outside;
  w.stop = true;
  w.t.reset(0s);
  for (auto& h : waiters) co_await h;
  EXPECT_EQ(counted::live(), 0);
  EXPECT_GT(w.waits, 0);
}

// A plain thread's word reaches who waits on a sleeping worker.
ASTD_TEST(timer, is_brought_forward_by_a_plain_thread) {
  for (int i = 0; i < 50; ++i) {
    astd::timer t(1h);
    auto waiter = spawn(waits_for(t));
    std::thread other([&t] { t.reset(10us); });
    co_await waiter;
    other.join();
  }
}

ASTD_TEST_WITH(timer, says_what_it_is, virtual_time()) {
  astd::timer t;
  auto waiter = spawn(waits_for(t));
  co_await this_task::sleep_for(1s);
  EXPECT_NE(dump_tasks().find("timer"), std::string::npos);
  co_await waiter.cancel();
}

}  // namespace
