// task_tracker: counts, and wakes whoever waits for the end when there is none left.
#include <astd/base/error.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/sync/task_tracker.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::virtual_time;

task<int> sleeps(std::chrono::seconds d) {
  const counted local;
  co_await this_task::sleep_for(d);
  co_return static_cast<int>(d.count());
}

ASTD_TEST_WITH(task_tracker, waits_for_all, virtual_time()) {
  const auto begin = steady_clock::now();
  const task_tracker tracker;
  EXPECT_TRUE(tracker.empty());
  auto first = tracker.spawn(sleeps(1s));
  for (int i = 2; i <= 5; ++i) tracker.spawn(sleeps(std::chrono::seconds(i))).detach();
  EXPECT_EQ(tracker.size(), 5u);
  const auto one = co_await first;
  EXPECT_EQ(one, 1);
  EXPECT_EQ(tracker.size(), 4u);
  EXPECT_FALSE(tracker.is_closed());
  EXPECT_TRUE(tracker.close());
  EXPECT_FALSE(tracker.close());
  tracker.spawn([](int n) -> task<> { co_await this_task::sleep_for(std::chrono::seconds(n)); }, 9).detach();
  auto both = join(tracker.wait(), tracker.wait());
  co_await std::move(both);
  EXPECT_EQ(steady_clock::now() - begin, 10s);
  EXPECT_TRUE(tracker.empty());
  EXPECT_EQ(counted::live(), 0) << "they are gone";
  co_await tracker.wait();  // at once
}

ASTD_TEST_WITH(task_tracker, waits_until_it_is_closed, virtual_time()) {
  const task_tracker tracker;
  const auto open = co_await as_result(timeout(1h, tracker.wait()));
  EXPECT_FALSE(open.has_value());
  auto waiter = spawn([](task_tracker t) -> task<> { co_await t.wait(); }, tracker);
  co_await this_task::sleep_for(1s);
  EXPECT_FALSE(waiter.is_finished());
  EXPECT_NE(dump_tasks().find("task_tracker with 0 tasks"), std::string::npos);
  tracker.close();
  co_await waiter;
  EXPECT_TRUE(tracker.reopen());
  EXPECT_FALSE(tracker.reopen());
  const auto again = co_await as_result(timeout(1h, tracker.wait()));
  EXPECT_FALSE(again.has_value());
}

ASTD_TEST_WITH(task_tracker, however_they_end, virtual_time()) {
  const task_tracker tracker;
  tracker.close();
  auto throws = []() -> task<int> {
    co_await this_task::yield();
    throw std::runtime_error("from inside");
  };
  auto fails = []() -> task<> {
    co_await this_task::yield();
    co_await fail(failure(std::make_error_code(std::errc::broken_pipe), "the pipe"));
  };
  auto owns = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(4); };
  int place = 0;
  auto refers = [](int& p) -> task<int&> { co_return p; };
  auto thrown = tracker.spawn(throws);
  auto failed = tracker.spawn(fails);
  auto owner = tracker.spawn(owns);
  auto reference = tracker.spawn(refers, std::ref(place));
  auto cancelled = tracker.spawn(test::for_ever());
  const auto how = co_await test::how_it_ends(std::move(thrown));
  EXPECT_EQ(how, "from inside");
  const auto result = co_await as_result(std::move(failed));
  EXPECT_FALSE(result.has_value());
  if (!result) EXPECT_EQ(result.error(), std::errc::broken_pipe);
  const auto four = co_await owner;
  EXPECT_EQ(*four, 4);
  int& same = co_await reference;
  EXPECT_EQ(&same, &place);
  EXPECT_EQ(tracker.size(), 1u);
  co_await cancelled.cancel();
  co_await tracker.wait();
}

ASTD_TEST_WITH(task_tracker, counts_what_is_not_spawned, virtual_time()) {
  auto tracker = std::make_unique<task_tracker>();
  tracker->close();
  auto first = std::make_unique<task_tracker::token>(tracker->track());
  auto copy = *first;
  auto moved = std::move(copy);
  EXPECT_EQ(tracker->size(), 2u);
  const task_tracker other;
  moved = other.track();
  EXPECT_EQ(tracker->size(), 1u);
  EXPECT_EQ(other.size(), 1u);
  EXPECT_NE(*tracker, other);
  auto waiter = spawn([](task_tracker t) -> task<> { co_await t.wait(); }, *tracker);
  tracker.reset();
  co_await this_task::sleep_for(1s);
  EXPECT_FALSE(waiter.is_finished());
  first.reset();
  co_await waiter;
}

ASTD_TEST(task_tracker, under_load) {
  for (int round = 0; round < 50; ++round) {
    const task_tracker tracker;
    std::atomic<int> done = 0;
    auto leaf = [](std::atomic<int>& n) -> task<> {
      co_await this_task::yield();
      ++n;
    };
    auto branch = [&leaf](task_tracker t, std::atomic<int>& n) -> task<> {
      for (int i = 0; i < 20; ++i) t.spawn(leaf, std::ref(n)).detach();
      co_return;
    };
    for (int i = 0; i < 10; ++i) tracker.spawn(branch, tracker, std::ref(done)).detach();
    auto impatient = spawn([](task_tracker t) -> task<> { co_await t.wait(); }, tracker);
    tracker.close();
    if (round % 2) impatient.request_cancel();
    co_await tracker.wait();
    EXPECT_EQ(done, 200);
    co_await as_result(std::move(impatient));
  }
}

}  // namespace
