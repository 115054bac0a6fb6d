// Cancelling at any moment, from any thread, whatever a task is doing: everything ends and nothing is left.
#include <astd/base/test_seed.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/select.hpp>
#include <astd/coro/shield.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/task_group.hpp>
#include <astd/runtime/task_local.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::seed;

using randomness = std::mt19937;
constexpr auto how_long = std::chrono::milliseconds(1500);

task_local<int> level(inherited);

// A random piece of a program: it does one of many things, most of them to smaller pieces of the same kind.
task<int> piece(unsigned s, int depth);

task<> ignores(task<int> t) {
  const auto r = co_await as_result(std::move(t));
  static_cast<void>(r);
}

task<int> piece(unsigned s, int depth) {
  const counted local;
  randomness random(s);
  const auto next = [&random] { return static_cast<unsigned>(random()); };
  const auto micros = [&random](unsigned most) { return std::chrono::microseconds(random() % most); };
  if (depth <= 0) {
    switch (random() % 5) {
      case 0: co_await this_task::yield(); break;
      case 1: co_await this_task::sleep_for(micros(300)); break;
      case 2: co_await this_task::sleep_for(1h); break;
      case 3: {
        auto h = spawn_blocking([c = counted()] { return 1; });
        co_await h;
        break;
      }
      default: co_await pending();
    }
    co_return 1;
  }
  switch (random() % 11) {
    case 0: {
      auto h = spawn(piece(next(), depth - 1));
      auto n = co_await h;
      co_return n;
    }
    case 1: {
      auto h = spawn(piece(next(), depth - 1));
      co_await this_task::sleep_for(micros(100));
      const auto n = co_await h.cancel();
      co_return n.value_or(0);
    }
    case 2: {
      auto both = co_await join(piece(next(), depth - 1), piece(next(), depth - 1));
      co_return std::get<0>(both);
    }
    case 3: {
      auto n = co_await race(piece(next(), depth - 1), piece(next(), depth - 1), piece(next(), depth - 1));
      co_return n;
    }
    case 4: {
      const auto n = co_await as_result(timeout(micros(500), piece(next(), depth - 1)));
      co_return n.value_or(0);
    }
    case 5: {
      auto some = co_await select(piece(next(), depth - 1), this_task::sleep_for(micros(300)));
      co_return std::get<0>(some).value_or(0);
    }
    case 6: {
      auto body = [&](task_group& g) -> task<int> {
        for (int i = 0; i < 3; ++i) g.spawn(piece(next(), depth - 1));
        const auto first = co_await g.next<int>();
        g.request_cancel();
        co_return first.value_or(0);
      };
      auto n = co_await task_group::run(body);
      co_return n;
    }
    case 7: {
      auto cleanup = []() -> task<> { co_await this_task::yield(); };
      auto n = co_await finally(piece(next(), depth - 1), cleanup);
      co_return n;
    }
    case 8: {
      co_await shield(this_task::sleep_for(micros(100)));
      auto n = co_await level.with(depth, piece(next(), depth - 1));
      co_return n;
    }
    case 9: {
      auto h = spawn(piece(next(), depth - 1));
      h.request_cancel();
      const auto n = co_await as_result(h);
      co_return n.value_or(0);
    }
    default: {
      auto h = spawn_local(piece(next(), depth - 1));
      auto joins = [](join_handle<int>& handle) -> task<int> {
        auto n = co_await handle;
        co_return n;
      };
      const auto r = co_await as_result(timeout(micros(200), joins(h)));
      h.request_cancel();
      co_return r.value_or(0);
    }
  }
}

class cancel_storm : public testing::TestWithParam<unsigned> {
 protected:
  cancel_storm() { seed(); }
};

// Plain threads spawn trees of tasks and cancel them at any moment.
TEST_P(cancel_storm, of_trees_from_plain_threads) {
  {
    runtime rt({.workers = GetParam(), .name = "storm"});
    std::atomic<long> trees = 0;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t)
      threads.emplace_back([&, t] {
        randomness random(seed() + t);
        const auto end = std::chrono::steady_clock::now() + how_long;
        while (std::chrono::steady_clock::now() < end) {
          std::vector<join_handle<int>> handles;
          for (int i = 0; i < 8; ++i) handles.push_back(rt.spawn(piece(static_cast<unsigned>(random()), 4)));
          for (volatile unsigned spin = random() % 20'000; spin != 0; spin = spin - 1) {
          }
          for (auto& h : handles) h.request_cancel();
          for (auto& h : handles) {
            if (random() % 4 == 0)
              h.detach();
            else
              static_cast<void>(block_on(h.cancel()));
            ++trees;
          }
        }
      });
    for (std::thread& t : threads) t.join();
    EXPECT_GT(trees, 0);
    EXPECT_TRUE(rt.shutdown(60s).complete);
  }
  EXPECT_EQ(counted::live(), 0);
}

// A runtime ends at any moment.
TEST_P(cancel_storm, by_the_end_of_the_runtime) {
  randomness random(seed());
  const auto end = std::chrono::steady_clock::now() + how_long;
  while (std::chrono::steady_clock::now() < end) {
    {
      runtime rt({.workers = GetParam(), .name = "storm"});
      for (int i = 0; i < 10; ++i) rt.spawn(piece(static_cast<unsigned>(random()), 4)).detach();
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 500));
      EXPECT_TRUE(rt.shutdown(60s).complete);
      EXPECT_EQ(counted::live(), 0);
    }
  }
}

// One chain is asked again and again, by several threads, while it ends and goes on. What it has spawned goes on
// without it, until the runtime ends.
TEST_P(cancel_storm, of_the_same_task_by_everybody) {
  {
    runtime rt({.workers = GetParam(), .name = "storm"});
    randomness random(seed());
    const auto end = std::chrono::steady_clock::now() + how_long / 3;
    while (std::chrono::steady_clock::now() < end) {
      auto h = rt.spawn(piece(static_cast<unsigned>(random()), 5));
      std::vector<std::thread> threads;
      for (int t = 0; t < 3; ++t)
        threads.emplace_back([&h] {
          for (int i = 0; i < 20; ++i) h.request_cancel();
        });
      for (std::thread& t : threads) t.join();
      static_cast<void>(block_on(h.cancel()));
      EXPECT_TRUE(h.is_finished());
    }
  }
  EXPECT_EQ(counted::live(), 0);
}

// block_on's own chain and its local tasks.
TEST_P(cancel_storm, of_threads_in_block_on) {
  runtime rt({.workers = GetParam(), .name = "storm"});
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      randomness random(seed() + t);
      const auto end = std::chrono::steady_clock::now() + how_long / 3;
      while (std::chrono::steady_clock::now() < end) {
        auto body = [&]() -> task<> {
          spawn_local(ignores(piece(static_cast<unsigned>(random()), 3))).detach();
          co_await as_result(
              timeout(std::chrono::microseconds(random() % 300), piece(static_cast<unsigned>(random()), 3)));
        };
        rt.block_on(body());
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_TRUE(rt.shutdown(60s).complete);
  EXPECT_EQ(counted::live(), 0);
}

INSTANTIATE_TEST_SUITE_P(workers, cancel_storm, testing::Values(1u, 3u));

}  // namespace
