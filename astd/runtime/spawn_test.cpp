// What can be spawned, where it runs, and how long its callable and arguments live.
#include <astd/coro/join.hpp>
#include <astd/coro/ready.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/task_builder.hpp>
#include <astd/runtime/task_group.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::flag;

task<int> answer() { co_return 42; }
task<int> sum(int a, int b) { co_return a + b; }
task<std::size_t> length(std::string_view text) {
  co_await this_task::yield();
  co_return text.size();
}

TEST(spawn, takes_a_task_or_whatever_makes_one) {
  EXPECT_EQ(block_on(spawn(answer())), 42);
  EXPECT_EQ(block_on(spawn(answer)), 42);
  EXPECT_EQ(block_on(spawn(sum, 1, 2)), 3);
  const auto lambda = [](int n) -> task<int> { co_return n + 1; };
  EXPECT_EQ(block_on(spawn(lambda, 4)), 5);
  EXPECT_EQ(block_on(spawn(&length, std::string("four"))), 4u);
}

struct greeter {
  std::string name;
  task<std::string> greet(std::string word) {
    co_await this_task::yield();
    co_return word + " " + name;
  }
};

ASTD_TEST(spawn, calls_a_member_of_an_object_that_it_keeps) {
  auto h = spawn(&greeter::greet, greeter{"you"}, "hello");
  const auto text = co_await h;
  EXPECT_EQ(text, "hello you");
}

// The frame refers to the closure, not to a copy of what it caught.
ASTD_TEST(spawn, keeps_the_callable_and_the_arguments_until_the_end) {
  EXPECT_EQ(counted::live(), 0);
  flag go, begun;
  {
    const counted caught;
    auto body = [caught, &go, &begun](const std::string& text, std::unique_ptr<int> n) -> task<std::string> {
      begun.set();
      co_await go.wait();
      co_return text + std::to_string(*n) + (counted::live() > 0 ? "" : " too late");
    };
    auto h = spawn(std::move(body), std::string("a text that is longer than what a string keeps in itself "),
                   std::make_unique<int>(7));
    co_await begun.wait();
    go.set();
    const auto text = co_await h;
    EXPECT_EQ(text, "a text that is longer than what a string keeps in itself 7");
  }
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST(spawn, copies_an_lvalue_and_moves_an_rvalue) {
  const counted c;
  const auto body = [c](const counted&) -> task<long> { co_return counted::live(); };
  auto h = spawn(body, c);
  const auto while_running = co_await h;
  EXPECT_EQ(while_running, 4) << "here: the local and the closure; in the task: its copies of both";
  EXPECT_EQ(counted::live(), 2);
  auto move_only = [p = std::make_unique<int>(3)]() -> task<int> { co_return *p; };
  auto second = spawn(std::move(move_only));
  const auto three = co_await second;
  EXPECT_EQ(three, 3);
  EXPECT_EQ(counted::live(), 2);
}

ASTD_TEST(spawn, refers_to_an_argument_if_told_so) {
  int here = 1;
  auto add = [](int& n) -> task<> {
    ++n;
    co_return;
  };
  auto h = spawn(add, std::ref(here));
  co_await h;
  EXPECT_EQ(here, 2);
}

// A temporary closure with what is to be destroyed: GCC 12 destroys it twice where it stands in an await.
ASTD_TEST(spawn, a_temporary_lambda_is_destroyed_once) {
  auto p = std::make_shared<int>(5);
  {
    auto h = spawn([p, c = counted()]() -> task<int> { co_return *p; });
    const auto five = co_await h;
    EXPECT_EQ(five, 5);
  }
  EXPECT_EQ(p.use_count(), 1);
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST(spawn, an_exception_from_the_callable_itself_ends_the_task) {
  auto thrower = [](int) -> task<> {
    throw std::runtime_error("before the first await");
    co_return;
  };
  auto h = spawn(thrower, 1);
  const auto how = co_await test::how_it_ends(std::move(h));
  EXPECT_EQ(how, "before the first await");
  auto plain = [](int) -> task<> { throw std::runtime_error("from a plain function"); };
  auto second = spawn(plain, 1);
  const auto how_second = co_await test::how_it_ends(std::move(second));
  EXPECT_EQ(how_second, "from a plain function");
}

TEST(spawn, works_on_any_thread) {
  std::vector<std::thread> threads;
  std::atomic<int> total = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&total] {
      std::vector<join_handle<int>> handles;
      for (int i = 0; i < 500; ++i) handles.push_back(spawn(sum, i, 1));
      for (auto& h : handles) total += block_on(h);
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(total, 4 * 500 * 501 / 2);
}

task<int> tree(int depth) {
  if (depth == 0) co_return 1;
  auto left = spawn(tree(depth - 1));
  auto right = spawn(tree(depth - 1));
  const auto l = co_await left;
  const auto r = co_await right;
  co_return l + r;
}

ASTD_TEST(spawn, a_tree_of_tasks) {
  auto h = spawn(tree(14));
  const auto leaves = co_await h;
  EXPECT_EQ(leaves, 1 << 14);
}

ASTD_TEST(spawn, a_long_chain_of_tasks_uses_no_stack) {
  struct link {
    static task<int> next(int n) {
      if (n == 0) co_return 0;
      auto h = spawn(next(n - 1));
      const auto below = co_await h;
      co_return below + 1;
    }
  };
  const auto n = co_await link::next(100'000);
  EXPECT_EQ(n, 100'000);
}

// ---- spawn_local

task<> stay(std::thread::id home, int times, std::atomic<int>& strayed) {
  for (int i = 0; i < times; ++i) {
    if (std::this_thread::get_id() != home) ++strayed;
    if (i % 3 == 0)
      co_await this_task::sleep_for(10us);
    else if (i % 3 == 1)
      co_await this_task::yield();
    else
      co_await spawn(answer());
  }
}

ASTD_TEST(spawn_local, stays_on_its_thread) {
  std::atomic<int> strayed = 0;
  // We may go on elsewhere after the first await: all are spawned before.
  const std::thread::id home = std::this_thread::get_id();
  std::vector<join_handle<>> local;
  for (int i = 0; i < 20; ++i) local.push_back(spawn_local(stay(home, 60, strayed)));
  std::vector<join_handle<int>> noise;
  for (int i = 0; i < 200; ++i) noise.push_back(spawn(tree(3)));
  for (auto& h : local) co_await h;
  for (auto& h : noise) co_await h;
  EXPECT_EQ(strayed, 0);
}

TEST(spawn_local, runs_on_the_thread_in_block_on) {
  std::atomic<int> strayed = 0;
  auto body = [&strayed]() -> task<> {
    const std::thread::id home = std::this_thread::get_id();
    std::vector<join_handle<>> local;
    for (int i = 0; i < 10; ++i) local.push_back(spawn_local(stay(home, 60, strayed)));
    for (auto& h : local) {
      co_await h;
      if (std::this_thread::get_id() != home) ++strayed;  // block_on's own task does not move either
    }
  };
  block_on(body());
  EXPECT_EQ(strayed, 0);
}

ASTD_TEST(spawn_local, comes_home_from_foreign_threads) {
  // Woken by another worker's task, by a plain thread and by the blocking pool.
  const std::thread::id home = std::this_thread::get_id();
  auto body = [](std::thread::id h) -> task<int> {
    int strayed = 0;
    for (int i = 0; i < 50; ++i) {
      flag woken;
      auto set = [](flag& f) -> task<> {
        f.set();
        co_return;
      };
      auto by_task = spawn(set, std::ref(woken));
      co_await woken.wait();
      strayed += std::this_thread::get_id() != h;
      co_await by_task;
      strayed += std::this_thread::get_id() != h;
      auto by_pool = spawn_blocking([] {});
      co_await by_pool;
      strayed += std::this_thread::get_id() != h;
      flag by_thread;
      std::thread plain([&by_thread] { by_thread.set(); });
      co_await by_thread.wait();
      strayed += std::this_thread::get_id() != h;
      plain.join();
    }
    co_return strayed;
  };
  auto h = spawn_local(body, home);
  const auto strayed = co_await h;
  EXPECT_EQ(strayed, 0);
}

TEST(spawn_local, is_refused_where_nothing_runs_tasks) {
  const auto refused = [] {
    try {
      spawn_local(answer()).detach();
    } catch (const std::logic_error& e) {
      return std::string_view(e.what()).find("spawn_local") != std::string_view::npos;
    }
    return false;
  };
  EXPECT_TRUE(refused());
  EXPECT_TRUE(block_on(spawn_blocking(refused)));
}

// ---- without stealing

TEST(spawn, without_stealing_a_task_stays_on_its_worker) {
  runtime rt({.workers = 3, .name = "cores", .stealing = false});
  std::atomic<int> strayed = 0;
  auto on_a_worker = [&strayed]() -> task<std::thread::id> {
    const std::thread::id home = std::this_thread::get_id();
    co_await stay(home, 60, strayed);
    auto child_at = []() -> task<std::thread::id> { co_return std::this_thread::get_id(); };
    auto child = spawn(child_at);
    const auto at = co_await child;
    if (at != home) ++strayed;
    co_return home;
  };
  std::vector<join_handle<std::thread::id>> handles;
  for (int i = 0; i < 30; ++i) handles.push_back(rt.spawn(on_a_worker));
  std::set<std::thread::id> used;
  for (auto& h : handles) used.insert(rt.block_on(h));
  EXPECT_EQ(strayed, 0);
  EXPECT_EQ(used.size(), 3u) << "what comes from outside is spread evenly";
}

// What is no task is awaited inside one.
ASTD_TEST(spawn, takes_any_awaitable) {
  const int one = co_await spawn(ready(1));
  EXPECT_EQ(one, 1);
  const auto two = co_await spawn(join(ready(1), ready(2)));
  EXPECT_EQ(two, std::tuple(1, 2));
  auto handle = spawn(ready(3));
  const int three = co_await task_builder().name("three").spawn(std::move(handle));
  EXPECT_EQ(three, 3);
  int four = 0;
  co_await task_group::run([&](task_group& g) -> task<> {
    g.spawn(ready(4));
    four = (co_await g.next<int>()).value();
  });
  EXPECT_EQ(four, 4);
}

}  // namespace
