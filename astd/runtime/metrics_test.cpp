// What a runtime counts.
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::flag;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

task<int> tree(int depth) {
  if (depth == 0) co_return 1;
  auto left = spawn(tree(depth - 1));
  auto right = spawn(tree(depth - 1));
  auto l = co_await left;
  auto r = co_await right;
  co_return l + r;
}

TEST(metrics, counts_tasks) {
  runtime rt({.workers = 2, .name = "counted"});
  EXPECT_EQ(rt.metrics().tasks_spawned, 0u);
  EXPECT_EQ(rt.block_on(rt.spawn(tree(5))), 32);
  test::wait_until([&rt] { return rt.metrics().tasks_alive == 0; });
  EXPECT_EQ(rt.metrics().tasks_spawned, 63u);
  flag begun;
  auto h = rt.spawn(test::for_ever(&begun));
  auto other = rt.spawn(test::for_ever());
  begun.block();
  EXPECT_EQ(rt.metrics().tasks_alive, 2u);
  EXPECT_EQ(rt.metrics().tasks_spawned, 65u);
  auto both = [](join_handle<> a, join_handle<> b) -> task<> {
    const auto none = co_await a.cancel();
    const auto no_other = co_await b.cancel();
    EXPECT_FALSE(none.has_value() || no_other.has_value());
  };
  rt.block_on(both(std::move(h), std::move(other)));
  test::wait_until([&rt] { return rt.metrics().tasks_alive == 0; });
}

TEST(metrics, counts_turns_and_sleeps) {
  for (const unsigned workers : {1u, 3u}) {
    runtime rt({.workers = workers, .name = "counted"});
    auto works = []() -> task<> {
      for (int i = 0; i < 500; ++i) co_await this_task::yield();
    };
    const auto before = rt.metrics().total();
    rt.block_on(rt.spawn(works));
    const auto after = rt.metrics().total();
    EXPECT_GE(after.polls, before.polls + 500);
    // With nothing to do the workers fall asleep: each time a task wakes one, it sleeps once more afterwards.
    const auto nothing = []() -> task<> { co_return; };
    for (int i = 0; i < 10; ++i) {
      const auto parks = rt.metrics().total().parks;
      test::wait_until([&] {
        rt.block_on(rt.spawn(nothing));
        return rt.metrics().total().parks > parks;
      });
    }
  }
}

TEST(metrics, counts_what_is_stolen) {
  runtime rt({.workers = 2, .name = "counted"});
  // One worker is held until the other has taken the tasks that the first has spawned.
  auto holds = []() -> task<> {
    std::atomic<int> ran = 0;
    auto counts = [](std::atomic<int>& n) -> task<> {
      ++n;
      co_return;
    };
    std::vector<join_handle<>> handles;
    for (int i = 0; i < 10; ++i) handles.push_back(spawn(counts, std::ref(ran)));
    test::hold_until([&ran] { return ran.load() >= 9; });
    for (auto& h : handles) co_await h;
  };
  rt.block_on(rt.spawn(holds));
  const auto total = rt.metrics().total();
  EXPECT_GE(total.steals, 1u);
  EXPECT_GE(total.stolen, total.steals);
}

TEST(metrics, counts_operations_and_blocking_calls) {
  runtime rt({.workers = 1, .name = "counted"});
  EXPECT_EQ(rt.metrics().blocking_completed, 0u);
  // One that lasts until the worker has gone to sleep.
  auto until_it_sleeps = [&rt] { test::wait_until([&rt] { return rt.metrics().total().system_calls != 0; }); };
  auto body = [&]() -> task<> {
    auto first = spawn_blocking(until_it_sleeps);
    co_await first;
    for (int i = 1; i < 20; ++i) {
      auto h = spawn_blocking([] {});
      co_await h;
    }
  };
  rt.block_on(rt.spawn(body));
  test::wait_until([&rt] { return rt.metrics().blocking_completed >= 20; });
  const auto m = rt.metrics();
  EXPECT_EQ(m.blocking_completed, 20u);
  EXPECT_GE(m.blocking_threads, 1u);
  EXPECT_EQ(m.blocking_queued, 0u);
  EXPECT_GT(m.total().system_calls, 0u) << "it slept while it waited for the pool";
}

TEST(metrics, counts_what_is_ready) {
  // Without workers nothing runs while we look.
  runtime rt({.workers = 0, .name = "counted"});
  std::vector<join_handle<>> handles;
  for (int i = 0; i < 10; ++i) handles.push_back(rt.spawn(test::for_ever()));
  EXPECT_EQ(rt.metrics().injected, 10u);
  EXPECT_EQ(rt.metrics().tasks_alive, 10u);
  auto inside = [&rt]() -> task<std::size_t> {
    auto nothing = []() -> task<> { co_return; };
    for (int i = 0; i < 5; ++i) spawn(nothing).detach();
    const std::size_t ready = rt.metrics().total().queued;
    // What comes from outside gets its turn, however busy we are.
    while (rt.metrics().injected != 0) co_await this_task::yield();
    co_return ready;
  };
  EXPECT_GE(rt.block_on(inside()), 5u);
}

// More threads in block_on at a time than are remembered: what those did that are forgotten still counts.
TEST(metrics, forget_no_task_of_a_block_on) {
  runtime rt({.workers = 1, .name = "counted"});
  constexpr int count = 20;
  std::atomic<int> inside = 0;
  auto body = [&inside]() -> task<> {
    auto nothing = []() -> task<> { co_return; };
    auto h = spawn_local(nothing);
    co_await h;
    ++inside;
    while (inside < count) co_await this_task::sleep_for(100us);
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&] { rt.block_on(body()); });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(rt.metrics().tasks_spawned, static_cast<std::uint64_t>(count));
  EXPECT_EQ(rt.metrics().tasks_alive, 0u);
}

TEST(metrics, the_total_is_the_sum) {
  runtime rt({.workers = 3, .name = "counted"});
  EXPECT_EQ(rt.block_on(rt.spawn(tree(10))), 1024);
  const runtime_metrics m = rt.metrics();
  ASSERT_EQ(m.workers.size(), 3u);
  const worker_metrics total = m.total();
  worker_metrics sum;
  for (const worker_metrics& w : m.workers) {
    sum.polls += w.polls;
    sum.parks += w.parks;
    sum.steals += w.steals;
    sum.stolen += w.stolen;
    sum.forced_yields += w.forced_yields;
    sum.queued += w.queued;
    sum.operations += w.operations;
    sum.inline_done += w.inline_done;
    sum.completed += w.completed;
    sum.cancelled += w.cancelled;
    sum.system_calls += w.system_calls;
  }
  EXPECT_EQ(total.polls, sum.polls);
  EXPECT_EQ(total.parks, sum.parks);
  EXPECT_EQ(total.steals, sum.steals);
  EXPECT_EQ(total.stolen, sum.stolen);
  EXPECT_EQ(total.forced_yields, sum.forced_yields);
  EXPECT_EQ(total.queued, sum.queued);
  EXPECT_EQ(total.operations, sum.operations);
  EXPECT_EQ(total.inline_done, sum.inline_done);
  EXPECT_EQ(total.completed, sum.completed);
  EXPECT_EQ(total.cancelled, sum.cancelled);
  EXPECT_EQ(total.system_calls, sum.system_calls);
}

TEST(metrics, are_readable) {
  runtime rt({.workers = 2, .name = "readable"});
  rt.block_on(rt.spawn(tree(3)));
  const runtime_metrics m = rt.metrics();
  EXPECT_EQ(m.name, "readable");
  EXPECT_TRUE(m.driver == "uring" || m.driver == "epoll") << m.driver;
  EXPECT_FALSE(m.driver_reason.empty());
  const std::string text = m.to_string();
  EXPECT_TRUE(has(text, "readable") && has(text, m.driver) && has(text, m.driver_reason)) << text;
  EXPECT_TRUE(has(text, "15 spawned")) << text;
  EXPECT_TRUE(has(text, "polls") && has(text, "all")) << text;
}

TEST(metrics, can_be_read_while_everything_runs) {
  runtime rt({.workers = 3, .name = "counted"});
  std::atomic<bool> stop = false;
  std::uint64_t last = 0;
  std::thread reader([&] {
    while (!stop) {
      const auto m = rt.metrics();
      const auto polls = m.total().polls;
      EXPECT_GE(polls, last);
      last = polls;
      EXPECT_LE(m.tasks_alive, m.tasks_spawned);
    }
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(rt.block_on(rt.spawn(tree(9))), 512);
  stop = true;
  reader.join();
}

}  // namespace
