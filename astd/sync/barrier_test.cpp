#include <astd/barrier.hpp>
#include <astd/coro/own_awaiter.hpp>
#include <astd/sync/test_support.hpp>
#include <astd/sync/wait_on_thread.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using test::in_order;
using test::one_worker;

static_assert(barrier<>::max() > 1'000'000);

ASTD_TEST(barrier, of_none_or_one_lets_everybody_pass) {
  for (const int n : {0, 1}) {
    astd::barrier b(n);
    for (int i = 0; i < 3; ++i) {
      const bool leads = co_await b.arrive_and_wait();
      EXPECT_TRUE(leads);
    }
  }
}

template <class Barrier>
task<> meets(Barrier& b, std::atomic<int>& leaders, int times) {
  for (int i = 0; i < times; ++i) {
    const bool leads = co_await b.arrive_and_wait();
    if (leads) ++leaders;
  }
}

ASTD_TEST(barrier, has_one_leader_in_each_phase_and_completes_it_before_anyone_goes_on) {
  int completed = 0;  // guarded by the barrier's order
  astd::barrier b(7, [&completed]() noexcept { ++completed; });
  std::atomic<int> leaders = 0;
  auto looks = [](auto& at, std::atomic<int>& led, const int& phase) -> task<> {
    for (int i = 0; i < 300; ++i) {
      const bool leads = co_await at.arrive_and_wait();
      if (leads) ++led;
      EXPECT_EQ(phase, 2 * i + 1);
      co_await at.arrive_and_wait();
    }
  };
  std::vector<join_handle<>> all;
  for (int i = 0; i < 7; ++i) all.push_back(spawn(looks(b, leaders, completed)));
  for (auto& h : all) co_await h;
  EXPECT_EQ(leaders, 300);
  EXPECT_EQ(completed, 600);
}

ASTD_TEST_WITH(barrier, who_is_cancelled_stays_counted, one_worker()) {
  astd::barrier b(2);
  std::atomic<int> leaders = 0;
  in_order tasks;
  co_await tasks.spawn(&meets<astd::barrier<>>, std::ref(b), std::ref(leaders), 1);
  co_await tasks.cancel(0);
  const bool leads = co_await b.arrive_and_wait();
  EXPECT_TRUE(leads);
  EXPECT_EQ(leaders, 0);
}

ASTD_TEST_WITH(barrier, one_can_come_without_waiting_or_for_the_last_time, one_worker()) {
  astd::barrier b(3);
  auto token = b.arrive(2);
  std::atomic<int> leaders = 0;
  auto waits = [](astd::barrier<>& at, astd::barrier<>::arrival_token t, std::atomic<int>& ended) -> task<> {
    const bool leads = co_await at.wait(std::move(t));
    EXPECT_FALSE(leads);
    ++ended;
  };
  in_order tasks;
  co_await tasks.spawn(waits, std::ref(b), std::move(token), std::ref(leaders));
  EXPECT_EQ(leaders, 0);
  b.arrive_and_drop();
  co_await tasks.join();
  EXPECT_EQ(leaders, 1);
  // Two from now on.
  auto first = b.arrive();
  const bool leads = co_await b.arrive_and_wait();
  EXPECT_TRUE(leads);
  const bool late = co_await b.wait(std::move(first));
  EXPECT_FALSE(late);
  b.arrive_and_drop();
  const bool alone = co_await b.arrive_and_wait();
  EXPECT_TRUE(alone);
  const bool still = co_await b.arrive_and_wait();
  EXPECT_TRUE(still);
}

// One that has come, but lines up so late that its phase is over and somebody waits for the next.
TEST(barrier, who_lines_up_late_does_not_wait_for_the_next_phase) {
  astd::barrier b(2);
  using awaitable = decltype(b.arrive_and_wait());
  detail::own_awaiter<awaitable> late(b.arrive_and_wait());
  EXPECT_FALSE(late->await_ready());
  EXPECT_TRUE(b.arrive_and_wait_blocking());
  detail::own_awaiter<awaitable> next(b.arrive_and_wait());
  EXPECT_FALSE(next->await_ready());
  detail::thread_wait of_next, of_late;
  EXPECT_EQ(next->start(of_next.context()), nullptr);
  detail::resumable* const goes_on = late->start(of_late.context());
  EXPECT_NE(goes_on, nullptr);
  auto token = b.arrive();
  static_cast<void>(token);
  of_late.run(goes_on);
  of_next.run(nullptr);
  EXPECT_FALSE(late->await_resume());
  EXPECT_FALSE(next->await_resume());
}

TEST(barrier, plain_threads_and_tasks_meet_at_it) {
  int completed = 0;
  astd::barrier b(4, [&completed]() noexcept { ++completed; });
  std::atomic<int> leaders = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&, i] {
      for (int n = 0; n < 300; ++n) {
        if (i == 0)
          b.wait_blocking(b.arrive());
        else
          b.arrive_and_wait_blocking();
      }
    });
  runtime rt({.workers = 1});
  rt.block_on(rt.spawn(meets(b, leaders, 300)));
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(completed, 300);
}

ASTD_TEST(barrier, a_dump_says_how_many_are_to_come) {
  astd::barrier b(3, detail::no_completion(), "start");
  runtime rt({.workers = 1});
  std::atomic<int> leaders = 0;
  auto h = rt.spawn(meets(b, leaders, 1));
  test::wait_for_dump(rt, {"waits in barrier 'start', 2 to come"});
  auto token = b.arrive(2);
  static_cast<void>(token);
  co_await h;
}

}  // namespace
