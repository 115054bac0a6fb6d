// block_on: from a plain function into the world of tasks, also from within.
#include <astd/coro/join.hpp>
#include <astd/coro/ready.hpp>
#include <astd/driver/test_loop.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::flag;

task<int> slowly(int n) {
  co_await this_task::sleep_for(200us);
  co_return n;
}
task<int> spawned(int n) {
  auto h = spawn(slowly(n));
  auto v = co_await h;
  co_return v;
}

template <class E>
std::string message_of(task<int> t) {
  try {
    block_on(std::move(t));
  } catch (const E& e) {
    return e.what();
  }
  return "nothing";
}

TEST(block_on, gives_the_value) {
  EXPECT_EQ(block_on(slowly(3)), 3);
  EXPECT_EQ(block_on(ready(4)), 4);
  block_on(this_task::sleep_for(1us));
  EXPECT_EQ(block_on(spawn(slowly(5))), 5);
  static int place = 0;
  auto reference = []() -> task<int&> { co_return place; };
  EXPECT_EQ(&block_on(reference()), &place);
  auto move_only = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(6); };
  EXPECT_EQ(*block_on(move_only()), 6);
  const auto both = block_on(join(slowly(1), spawned(2)));
  EXPECT_EQ(std::get<0>(both) + std::get<1>(both), 3);
}

TEST(block_on, gives_the_exception) {
  auto throws = []() -> task<int> {
    co_await this_task::yield();
    throw std::runtime_error("out of block_on");
  };
  EXPECT_EQ(message_of<std::runtime_error>(throws()), "out of block_on");
  auto stops = []() -> task<int> {
    this_task::request_cancel();
    co_await pending();
    co_return 1;
  };
  EXPECT_NE(message_of<task_cancelled>(stops()).find("block_on"), std::string::npos);
  EXPECT_EQ(block_on(slowly(1)), 1) << "and works afterwards";
}

TEST(block_on, nests) {
  auto two_deep = [](int n) -> task<int> {
    const int inner = block_on(spawned(n));
    auto more = co_await slowly(1);
    co_return inner + more;
  };
  auto three_deep = [&](int n) -> task<int> {
    const int inner = block_on(two_deep(n));
    auto more = co_await spawned(1);
    co_return inner + more;
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(block_on(two_deep(i)), i + 1);
    EXPECT_EQ(block_on(three_deep(i)), i + 2);
    EXPECT_EQ(block_on(spawn(three_deep(i))), i + 2) << "in a worker's task";
  }
}

ASTD_TEST(block_on, in_a_local_task_and_in_the_pool) {
  auto body = [](int n) -> task<int> {
    const int inner = block_on(spawned(n));
    co_return inner;
  };
  auto local = spawn_local(body, 4);
  const auto four = co_await local;
  EXPECT_EQ(four, 4);
  auto pool = spawn_blocking([&] { return block_on(body(5)); });
  const auto five = co_await pool;
  EXPECT_EQ(five, 5);
}

// The worker runs its other tasks while it is in there, those that are bound to it, too.
ASTD_TEST(block_on, lets_the_workers_other_tasks_run) {
  flag go;
  auto sets = [](flag& f) -> task<> {
    co_await this_task::yield();
    f.set();
  };
  auto local = spawn_local(sets, std::ref(go));
  block_on(go.wait());
  co_await local;
  EXPECT_NE(this_task::get_id(), 0u) << "we are who we were";
}

TEST(block_on, on_several_threads_at_once) {
  std::vector<std::thread> threads;
  std::atomic<int> sum = 0;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&sum, t] {
      for (int i = 0; i < 30; ++i) sum += block_on(i % 2 ? spawned(t) : slowly(t));
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(sum, 30 * 15);
}

// What a thread leaves behind is nothing to the next, even if that looks just like it.
TEST(block_on, on_one_thread_after_another) {
  for (int i = 0; i < 40; ++i) {
    std::thread([i] { EXPECT_EQ(block_on(spawned(i)), i); }).join();
    std::thread([i] { EXPECT_EQ(block_on(slowly(i)), i); }).join();
  }
}

TEST(block_on, keeps_no_loops_for_threads_that_have_ended) {
  runtime rt({.workers = 1});
  const auto visit = [&] { std::thread([&] { EXPECT_EQ(rt.block_on(slowly(7)), 7); }).join(); };
  visit();
  const int after_one = driver::testing::open_descriptors();
  for (int i = 0; i < 20; ++i) visit();
  EXPECT_EQ(driver::testing::open_descriptors(), after_one);
}

TEST(block_on, a_runtime_without_workers_serves_one_thread_after_another) {
  runtime rt({.workers = 0, .name = "calling"});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(rt.block_on(spawned(i)), i);
    std::thread([&rt, i] { EXPECT_EQ(rt.block_on(spawned(i)), i); }).join();
  }
}

TEST(block_on, a_runtime_without_workers_serves_one_thread_at_a_time) {
  runtime rt({.workers = 0, .name = "calling"});
  flag inside, go;
  std::thread first([&] {
    rt.block_on([](flag& i, flag& g) -> task<> {
      i.set();
      co_await g.wait();
    }(inside, go));
  });
  inside.block();
  std::string refused;
  try {
    rt.block_on(slowly(1));
  } catch (const std::logic_error& e) {
    refused = e.what();
  }
  EXPECT_NE(refused.find("calling"), std::string::npos) << refused;
  go.set();
  first.join();
  EXPECT_EQ(rt.block_on(slowly(2)), 2);
}

// ---- local tasks of the thread

TEST(block_on, ends_the_local_tasks_when_the_outermost_returns) {
  flag begun;
  auto inner = [&begun]() -> task<> {
    spawn_local(test::for_ever(&begun)).detach();
    co_await begun.wait();
  };
  auto outer = [&inner]() -> task<> {
    block_on(inner());
    EXPECT_EQ(counted::live(), 1) << "the inner one is not the outermost";
    co_return;
  };
  block_on(outer());
  EXPECT_EQ(counted::live(), 0);
}

TEST(block_on, ends_the_local_tasks_after_an_exception_too) {
  for (int i = 0; i < 3; ++i) {
    flag begun;
    auto body = [&begun]() -> task<int> {
      spawn_local(test::for_ever(&begun)).detach();
      co_await begun.wait();
      throw std::runtime_error("leaves early");
    };
    EXPECT_EQ(message_of<std::runtime_error>(body()), "leaves early");
    EXPECT_EQ(counted::live(), 0);
    auto later = [](int n) -> task<int> {
      auto h = spawn_local(slowly(n));
      auto v = co_await h;
      co_return v;
    };
    EXPECT_EQ(block_on(later(i)), i);
  }
}

TEST(block_on, a_local_task_may_spawn_more_while_it_is_ended) {
  struct spawns_at_its_end {
    ~spawns_at_its_end() { spawn_local(test::for_ever()).detach(); }
  };
  flag begun;
  auto stubborn = [](flag& b) -> task<> {
    const spawns_at_its_end local;
    co_await test::for_ever(&b);
  };
  auto body = [&]() -> task<> {
    spawn_local(stubborn, std::ref(begun)).detach();
    co_await begun.wait();
  };
  block_on(body());
  EXPECT_EQ(counted::live(), 0);
}

TEST(block_on, does_not_end_what_was_spawned_on_the_workers) {
  flag go, ended;
  auto on_a_worker = [](flag& g, flag& e) -> task<> {
    co_await g.wait();
    e.set();
  };
  auto body = [&]() -> task<> {
    spawn(on_a_worker, std::ref(go), std::ref(ended)).detach();
    co_return;
  };
  block_on(body());
  EXPECT_FALSE(ended.is_set());
  go.set();
  ended.block();
}

}  // namespace
