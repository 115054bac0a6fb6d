#include <astd/latch.hpp>
#include <astd/sync/test_support.hpp>
#include <astd/testing/gtest.hpp>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace astd;
using test::in_order;
using test::one_worker;
using test::settle;

static_assert(latch::max() > 1'000'000'000'000);

ASTD_TEST(latch, of_nothing_is_open) {
  latch l(0);
  EXPECT_TRUE(l.try_wait());
  co_await l.wait();
  co_await l.arrive_and_wait(0);
}

task<> waits(latch& l, std::vector<int>& order, int number) {
  co_await l.wait();
  order.push_back(number);
}

ASTD_TEST_WITH(latch, lets_all_pass_at_zero_in_their_order, one_worker()) {
  latch l(3);
  std::vector<int> order;
  in_order tasks;
  for (int i = 0; i < 4; ++i) co_await tasks.spawn(&waits, std::ref(l), std::ref(order), i);
  l.count_down();
  co_await settle();
  EXPECT_TRUE(order.empty());
  EXPECT_FALSE(l.try_wait());
  co_await tasks.cancel(1);
  l.count_down(2);
  EXPECT_TRUE(l.try_wait());
  co_await tasks[0];
  co_await tasks[2];
  co_await tasks[3];
  EXPECT_EQ(order.size(), 3u);
  co_await l.wait();
}

ASTD_TEST_WITH(latch, who_arrives_and_is_cancelled_stays_counted, one_worker()) {
  latch l(2);
  in_order tasks;
  auto arrives = [](latch& at) -> task<> { co_await at.arrive_and_wait(); };
  co_await tasks.spawn(arrives, std::ref(l));
  co_await tasks.cancel(0);
  EXPECT_FALSE(l.try_wait());
  co_await l.arrive_and_wait();
  EXPECT_TRUE(l.try_wait());
}

ASTD_TEST(latch, can_be_destroyed_by_who_waited) {
  for (int round = 0; round < 1000; ++round) {
    auto l = std::make_unique<latch>(2);
    latch& shared = *l;
    auto ends = [](std::unique_ptr<latch> owned) -> task<> { co_await owned->wait(); };
    auto h = spawn(ends, std::move(l));
    auto counts = [](latch& at) -> task<> {
      at.count_down();
      co_return;
    };
    auto other = spawn(counts, std::ref(shared));
    shared.count_down();
    co_await h;
    co_await other;
  }
}

TEST(latch, plain_threads_wait_at_it) {
  latch l(5);
  int sum = 0;
  std::vector<int> parts(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      parts[static_cast<std::size_t>(i)] = i;
      if (i % 2 == 0)
        l.count_down();
      else
        l.arrive_and_wait_blocking();
    });
  l.count_down();
  l.wait_blocking();
  for (const int p : parts) sum += p;
  EXPECT_EQ(sum, 6);
  for (std::thread& t : threads) t.join();
}

ASTD_TEST(latch, a_dump_says_how_many_are_to_come) {
  latch l(2, "start");
  runtime rt({.workers = 1});
  auto waiting = [](latch& at) -> task<> { co_await at.wait(); };
  auto h = rt.spawn(waiting, std::ref(l));
  test::wait_for_dump(rt, {"waits in latch 'start', 2 to come"});
  l.count_down(2);
  co_await h;
}

}  // namespace
