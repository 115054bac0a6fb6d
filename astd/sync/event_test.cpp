#include <astd/coro/as_result.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/select.hpp>
#include <astd/event.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/sync/test_support.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::in_order;
using test::one_worker;
using test::settle;

constinit event global_event("global");

ASTD_TEST(event, keeps_one_notification) {
  EXPECT_FALSE(global_event.try_wait());
  global_event.notify_one();
  global_event.notify_one();
  co_await global_event.wait();
  EXPECT_FALSE(global_event.try_wait());
  global_event.notify_last();
  EXPECT_TRUE(global_event.try_wait());
  EXPECT_FALSE(global_event.try_wait());
}

// What lies there is taken without a suspension; who takes it and is to stop may not act on it any more.
ASTD_TEST(event, a_kept_notification_outlives_who_is_to_stop) {
  event e;
  auto stops = spawn(
      [](event& changed) -> task<> {
        this_task::request_cancel();
        co_await changed.wait();
        co_await this_task::yield();
        ADD_FAILURE() << "it was to stop";
      },
      std::ref(e));
  e.notify_one();
  const auto ended = co_await as_result(std::move(stops));
  EXPECT_FALSE(ended.has_value());
  EXPECT_TRUE(e.try_wait());
}

ASTD_TEST(event, does_not_keep_what_was_for_all) {
  event e;
  e.notify_all();
  EXPECT_FALSE(e.try_wait());
  const auto r = co_await as_result(timeout(1ms, e.wait()));
  EXPECT_FALSE(r.has_value());
}

task<> waits(event& e, std::vector<int>& order, int number) {
  co_await e.wait();
  order.push_back(number);
}

ASTD_TEST_WITH(event, wakes_the_first_the_last_or_all, one_worker()) {
  event e;
  std::vector<int> order;
  in_order tasks;
  for (int i = 0; i < 5; ++i) co_await tasks.spawn(&waits, std::ref(e), std::ref(order), i);
  e.notify_one();
  co_await settle();
  EXPECT_EQ(order, (std::vector{0}));
  e.notify_last();
  co_await settle();
  EXPECT_EQ(order, (std::vector{0, 4}));
  e.notify_all();
  co_await tasks.join();
  EXPECT_EQ(order.size(), 5u);
  EXPECT_FALSE(e.try_wait());
}

// A wait counts from the call of wait() for notify_all, and then leaves what notify_one has kept to others.
ASTD_TEST(event, a_wait_that_is_older_than_notify_all_takes_nothing_else) {
  event e;
  auto before = e.wait();
  e.notify_all();
  e.notify_one();
  auto behind = e.wait();
  co_await before;
  co_await before;
  co_await behind;
  EXPECT_FALSE(e.try_wait());
  const auto r = co_await as_result(timeout(1ms, behind));
  EXPECT_FALSE(r.has_value());
  co_await before;
}

// Also when others wait already, who came later.
ASTD_TEST_WITH(event, a_wait_that_is_older_than_notify_all_does_not_line_up, one_worker()) {
  event e;
  auto before = e.wait();
  e.notify_all();
  std::vector<int> order;
  in_order tasks;
  co_await tasks.spawn(&waits, std::ref(e), std::ref(order), 0);
  co_await before;
  EXPECT_TRUE(order.empty());
  e.notify_one();
  co_await tasks.join();
}

ASTD_TEST_WITH(event, a_cancelled_waiter_leaves_the_line, one_worker()) {
  event e;
  std::vector<int> order;
  in_order tasks;
  for (int i = 0; i < 3; ++i) co_await tasks.spawn(&waits, std::ref(e), std::ref(order), i);
  co_await tasks.cancel(0);
  e.notify_one();
  co_await tasks[1];
  EXPECT_EQ(order, (std::vector{1}));
  co_await tasks.cancel(2);
  e.notify_one();
  EXPECT_TRUE(e.try_wait());
}

// Both branches are told at the same moment, on two workers: one wins, and what the other was told is there for the next.
TEST(event, the_notification_of_a_loser_is_not_lost) {
  constexpr int rounds = 1500;
  struct told_together {
    std::atomic<int> round = 0;
    std::atomic<int> told = 0;
    std::atomic<event*> e = nullptr, f = nullptr;
  } at;
  runtime rt({.workers = 3, .name = "three"});
  const auto tells = [](told_together& all, bool first) -> task<> {
    for (int round = 1; round <= rounds; ++round) {
      for (int spins = 0; all.round < round; ++spins)
        if (spins % 200 == 199) co_await this_task::yield();
      (first ? all.e : all.f).load()->notify_one();
      ++all.told;
      co_await this_task::yield();
    }
  };
  const auto races = [](told_together& all) -> task<> {
    for (int round = 1; round <= rounds; ++round) {
      event e, f;
      all.e = &e;
      all.f = &f;
      all.round = round;
      co_await race(e.wait(), f.wait());
      while (all.told < 2 * round) co_await this_task::yield();
      const int left = e.try_wait() + f.try_wait();
      EXPECT_EQ(left, 1) << "round " << round;
    }
  };
  auto one = rt.spawn(tells, std::ref(at), true);
  auto two = rt.spawn(tells, std::ref(at), false);
  rt.block_on(rt.spawn(races, std::ref(at)));
  rt.block_on(one);
  rt.block_on(two);
}

// Whatever moment the cancellation comes at, either the first has gone on, or the second is told.
ASTD_TEST(event, the_notification_of_a_cancelled_waiter_is_not_lost) {
  for (int round = 0; round < 500; ++round) {
    event e;
    std::atomic<bool> went_on = false;
    auto waiting = [](event& on, std::atomic<bool>& here) -> task<> {
      co_await on.wait();
      here = true;
    };
    auto next = [](event& on) -> task<> { co_await on.wait(); };
    auto first = spawn(waiting, std::ref(e), std::ref(went_on));
    for (int i = 0; i < round % 3; ++i) co_await this_task::yield();
    auto second = spawn(next, std::ref(e));
    for (int i = 0; i < round % 5; ++i) co_await this_task::yield();
    e.notify_one();
    first.request_cancel();
    const auto ended = co_await first.cancel();
    static_cast<void>(ended);
    if (!went_on) {
      const auto told = co_await as_result(timeout(60s, second));
      EXPECT_TRUE(told.has_value());
    }
    second.request_cancel();
    const auto rest = co_await second.cancel();
    static_cast<void>(rest);
  }
}

// On one worker nothing runs between the notification and the request.
TEST(event, what_a_cancelled_waiter_was_told_goes_to_the_next) {
  runtime rt({.workers = 1});
  auto all = []() -> task<> {
    event e;
    bool went_on = false, stayed = false;
    auto waiting = [](event& on, bool& here, bool& there) -> task<> {
      co_await on.wait();
      here = true;
      co_await this_task::yield();
      there = true;
    };
    auto next = [](event& on) -> task<> { co_await on.wait(); };
    auto first = spawn(waiting, std::ref(e), std::ref(went_on), std::ref(stayed));
    co_await this_task::sleep_for(1ms);
    auto second = spawn(next, std::ref(e));
    co_await this_task::sleep_for(1ms);
    e.notify_one();
    first.request_cancel();
    co_await second;
    const auto ended = co_await first.cancel();
    EXPECT_FALSE(ended.has_value());
    EXPECT_TRUE(went_on);
    EXPECT_FALSE(stayed);
    EXPECT_FALSE(e.try_wait());
  };
  rt.block_on(rt.spawn(all));
}

// The loop of the header: no change is missed.
ASTD_TEST(event, who_takes_its_place_first_misses_nothing) {
  event e;
  std::atomic<int> value = 0;
  constexpr int last = 20'000;
  auto follows = [](event& on, std::atomic<int>& v) -> task<> {
    for (;;) {
      auto next = on.wait();
      if (v.load(std::memory_order_relaxed) == last) break;
      co_await next;
    }
  };
  std::vector<join_handle<>> all;
  for (int i = 0; i < 3; ++i) all.push_back(spawn(follows, std::ref(e), std::ref(value)));
  std::thread changes([&] {
    for (int i = 0; i < last; ++i) {
      value.fetch_add(1, std::memory_order_relaxed);
      e.notify_all();
    }
  });
  for (auto& h : all) co_await h;
  changes.join();
}

TEST(event, threads_pass_it_to_and_fro) {
  event to, fro;
  int shared = 0;
  std::thread other([&] {
    for (int i = 0; i < 2000; ++i) {
      to.wait_blocking();
      ++shared;
      fro.notify_one();
    }
  });
  for (int i = 0; i < 2000; ++i) {
    ++shared;
    to.notify_one();
    fro.wait_blocking();
    EXPECT_EQ(shared, 2 * (i + 1));
  }
  other.join();
}

// It gives back what it was notified of, and is not to take that again and again.
ASTD_TEST(event, who_waits_in_a_loop_is_cancelled) {
  event e;
  e.notify_one();
  auto h = spawn([&]() -> task<> {
    this_task::request_cancel();
    for (;;) co_await e.wait();
  });
  auto stopped = co_await h.cancel();
  EXPECT_FALSE(stopped);
  EXPECT_TRUE(e.try_wait());  // for somebody else
}

ASTD_TEST(event, a_dump_names_it) {
  event e("news");
  runtime rt({.workers = 1});
  auto waiting = [](event& on) -> task<> { co_await on.wait(); };
  auto h = rt.spawn(waiting, std::ref(e));
  test::wait_for_dump(rt, {"waits in event 'news'"});
  e.notify_all();
  co_await h;
}

}  // namespace
