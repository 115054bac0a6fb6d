// Virtual time: sleeps take no time and end to the nanosecond, whatever there is to wait for besides.
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/select.hpp>
#include <astd/coro/shield.hpp>
#include <astd/io/descriptor_operations.hpp>
#include <astd/net.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/spawn_blocking.hpp>
#include <astd/runtime/task_builder.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/timeout.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::virtual_time;
using moment = steady_clock::time_point;

runtime_options without_workers() {
  runtime_options o = virtual_time();
  o.workers = 0;
  return o;
}
runtime_options one_loop_for_each() {
  runtime_options o = virtual_time();
  o.workers = 3;
  o.stealing = false;
  return o;
}

task<> sleeps_exactly() {
  for (const auto d : {1ns, 65'537ns, 1'000'000'000ns, 3'600'000'000'000ns, 31'557'600'000'000'000ns}) {
    const moment before = steady_clock::now();
    co_await this_task::sleep_for(d);
    EXPECT_EQ(steady_clock::now() - before, d);
  }
  const moment deadline = steady_clock::now() + 36h;
  co_await this_task::sleep_until(deadline);
  EXPECT_EQ(steady_clock::now(), deadline);
  const auto day = system_clock::now() + 24h;
  co_await this_task::sleep_until(day);
  EXPECT_EQ(system_clock::now(), day);
}

ASTD_TEST_WITH(virtual_clock, sleeps_are_exact, virtual_time()) { co_await sleeps_exactly(); }
ASTD_TEST_WITH(virtual_clock, sleeps_are_exact_without_workers, without_workers()) { co_await sleeps_exactly(); }
ASTD_TEST_WITH(virtual_clock, sleeps_are_exact_without_stealing, one_loop_for_each()) { co_await sleeps_exactly(); }

TEST(virtual_clock, of_a_thread_in_block_on) {
  runtime rt(virtual_time());
  rt.block_on(sleeps_exactly());
  // And in a call of the blocking pool.
  auto calls = []() -> task<> {
    const moment before = steady_clock::now();
    co_await spawn_blocking([] { block_on(sleeps_exactly()); });
    EXPECT_GT(steady_clock::now() - before, 24h * 365);
    auto sees = co_await spawn_blocking([] { return steady_clock::now(); });
    EXPECT_EQ(sees, steady_clock::now());
  };
  rt.block_on(calls());
}

ASTD_TEST_WITH(virtual_clock, begins_at_a_known_moment, virtual_time()) {
  EXPECT_EQ(system_clock::to_sys(system_clock::now()), std::chrono::sys_days(std::chrono::year(2000) / 1 / 1));
  EXPECT_EQ(system_clock::from_time_t(system_clock::to_time_t(system_clock::now())), system_clock::now());
  co_return;
}

// Everybody wakes at the right moment and in the right order, on however many workers.
ASTD_TEST_WITH(virtual_clock, many_sleepers, virtual_time()) {
  struct log {
    std::mutex lock;
    std::vector<moment> woken;
  } seen;
  auto sleeper = [](log& to, unsigned seed) -> task<> {
    std::minstd_rand random(seed);
    for (int i = 0; i < 20; ++i) {
      const auto d = std::chrono::nanoseconds(random() % 1'000'000'000'000);
      const moment before = steady_clock::now();
      co_await this_task::sleep_for(d);
      EXPECT_EQ(steady_clock::now() - before, d);
      const std::lock_guard guard(to.lock);
      to.woken.push_back(steady_clock::now());
    }
  };
  std::vector<join_handle<>> all;
  for (unsigned i = 0; i < 200; ++i) all.push_back(spawn(sleeper, std::ref(seen), i + 1));
  for (auto& h : all) co_await h;
  EXPECT_EQ(seen.woken.size(), 4000u);
  EXPECT_TRUE(std::is_sorted(seen.woken.begin(), seen.woken.end()));
}

// Time does not pass while anybody computes, yields, or is woken by somebody.
ASTD_TEST_WITH(virtual_clock, stands_still_while_anything_runs, virtual_time()) {
  const moment before = steady_clock::now();
  auto guard = spawn([]() -> task<> { co_await this_task::sleep_for(1ms); });
  auto busy = []() -> task<> {
    for (int i = 0; i < 1000; ++i) co_await this_task::yield();
  };
  std::vector<join_handle<>> all;
  for (int i = 0; i < 50; ++i) all.push_back(spawn(busy));
  for (auto& h : all) co_await h;
  EXPECT_EQ(steady_clock::now(), before);
  EXPECT_FALSE(guard.is_finished());
  co_await guard;
  EXPECT_EQ(steady_clock::now() - before, 1ms);
}

ASTD_TEST_WITH(virtual_clock, waits_for_blocking_calls, virtual_time()) {
  const moment before = steady_clock::now();
  auto slow = [] { std::this_thread::sleep_for(20ms); };
  for (int i = 0; i < 5; ++i) co_await timeout(1ms, spawn_blocking(slow));
  EXPECT_EQ(steady_clock::now(), before);
  std::vector<join_handle<>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(spawn_blocking([] { std::this_thread::sleep_for(100us); }));
  for (auto& c : calls) co_await timeout(1ns, std::move(c));
  EXPECT_EQ(steady_clock::now(), before);
}

task<> relay(int hops) {
  if (hops == 0) co_return;
  auto next = spawn(relay(hops - 1));
  co_await this_task::yield();
  co_await next;
}

// Tasks that hand work to each other all the time are never overtaken by the clock.
ASTD_TEST_WITH(virtual_clock, never_jumps_while_a_wake_is_on_its_way, virtual_time()) {
  const moment before = steady_clock::now();
  auto through_the_pool = []() -> task<> {
    for (int i = 0; i < 200; ++i) {
      auto call = spawn_blocking([] {});
      co_await call;
      co_await this_task::yield();
    }
  };
  for (int round = 0; round < 20; ++round) {
    auto all = join(timeout(1ns, relay(30)), timeout(1ns, relay(10)), timeout(1ns, relay(50)));
    co_await std::move(all);
  }
  auto pools = join(timeout(1ns, through_the_pool()), timeout(1ns, through_the_pool()));
  co_await std::move(pools);
  EXPECT_EQ(steady_clock::now(), before);
}

// A limit that was not needed leaves nothing behind, and what comes from the world beats any limit.
ASTD_TEST_WITH(virtual_clock, lets_the_world_go_first, virtual_time()) {
  const moment before = steady_clock::now();
  auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
  auto server = [](net::tcp_listener& l) -> task<> {
    auto accepted = co_await l.accept();
    std::array<char, 64> buffer;
    for (;;) {
      const auto n = co_await accepted.first.read(buffer);
      if (n == 0) co_return;
      co_await accepted.first.write(std::string_view(buffer.data(), n));
    }
  };
  auto served = spawn(server, std::ref(listener));
  {
    auto client = co_await net::tcp_stream::connect(listener.local_address());
    std::array<char, 64> buffer;
    for (int i = 0; i < 100; ++i) {
      co_await client.write(std::string_view("ping"));
      const auto n = co_await timeout(1ns, client.read(buffer));
      EXPECT_EQ(n, 4u);
    }
    // Nothing comes: then the limit's time does.
    EXPECT_EQ(steady_clock::now(), before);
    const auto late = co_await as_result(timeout(1h, client.read(buffer)));
    EXPECT_FALSE(late.has_value());
    EXPECT_EQ(steady_clock::now() - before, 1h);
  }
  co_await served;
  EXPECT_EQ(steady_clock::now() - before, 1h);
}

ASTD_TEST_WITH(virtual_clock, forgets_deadlines_that_were_taken_back, virtual_time()) {
  const moment before = steady_clock::now();
  auto fast = []() -> task<> { co_await this_task::sleep_for(1ms); };
  for (int i = 0; i < 50; ++i) co_await timeout(10s, fast());
  EXPECT_EQ(steady_clock::now() - before, 50ms);
  auto late = []() -> task<> { co_await this_task::sleep_for(12s); };
  auto early = spawn([]() -> task<> { co_await this_task::sleep_for(10s); });
  auto both = spawn(late);
  co_await this_task::yield();
  early.request_cancel();
  co_await both;
  EXPECT_EQ(steady_clock::now() - before, 12'050ms);
}

TEST(virtual_clock, stands_still_while_nobody_is_in_block_on) {
  std::atomic<int> ticks = 0;
  runtime rt(virtual_time());  // time passes while it ends, too
  auto ticking = [](std::atomic<int>& n) -> task<> {
    for (;;) {
      co_await this_task::sleep_for(1s);
      ++n;
    }
  };
  auto begin = []() -> task<moment> { co_return steady_clock::now(); };
  const moment before = rt.block_on(begin());
  rt.spawn(ticking, std::ref(ticks)).detach();
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(ticks, 0);
  EXPECT_EQ(rt.block_on(begin()), before);
  auto sleeps = []() -> task<> { co_await this_task::sleep_for(10'500ms); };
  rt.block_on(sleeps());
  EXPECT_EQ(ticks, 10);
  EXPECT_EQ(rt.block_on(begin()) - before, 10'500ms);
}

// A cleanup may take its (virtual) time.
TEST(virtual_clock, passes_during_a_shutdown) {
  for (const unsigned workers : {0u, 1u, 3u}) {
    runtime_options o = virtual_time();
    o.workers = workers;
    std::atomic<bool> cleaned = false;
    {
      runtime rt(o);
      auto body = [](std::atomic<bool>& done) -> task<> {
        auto cleanup = [&done]() -> task<> {
          co_await this_task::sleep_for(24h);
          done = true;
        };
        co_await finally(pending(), cleanup);
      };
      rt.spawn(body, std::ref(cleaned)).detach();
      auto pass = []() -> task<> { co_await this_task::sleep_for(1s); };
      rt.block_on(pass());
    }
    EXPECT_TRUE(cleaned) << workers << " workers";
  }
}

TEST(virtual_clock, of_two_runtimes) {
  runtime fast(virtual_time()), other(without_workers());
  auto sleeps = [](std::chrono::hours d) -> task<moment> {
    co_await this_task::sleep_for(d);
    co_return steady_clock::now();
  };
  const moment a = fast.block_on(sleeps(1h));
  const moment b = other.block_on(sleeps(2h));
  EXPECT_EQ(b - a, 1h);
  // One inside the other: the outer stands still meanwhile.
  auto nests = [&]() -> task<> {
    const moment before = steady_clock::now();
    other.block_on(sleeps(5h));
    EXPECT_EQ(steady_clock::now(), before);
    co_return;
  };
  fast.block_on(nests());
}

// Several threads in block_on, and tasks on the workers, all in the same time.
TEST(virtual_clock, several_threads_in_block_on) {
  runtime rt(virtual_time());
  auto sleeps = [](int steps, std::chrono::milliseconds d) -> task<> {
    for (int i = 0; i < steps; ++i) {
      const moment before = steady_clock::now();
      co_await this_task::sleep_for(d);
      EXPECT_EQ(steady_clock::now() - before, d);
      auto h = spawn([]() -> task<> { co_await this_task::sleep_for(1us); });
      co_await h;
      EXPECT_EQ(steady_clock::now() - before, d + 1us);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i <= 4; ++i)
    threads.emplace_back([&, i] { rt.block_on(sleeps(100, std::chrono::milliseconds(i * 7))); });
  for (auto& t : threads) t.join();
}

ASTD_TEST_WITH(virtual_clock, cancelling_at_any_moment, virtual_time()) {
  auto body = []() -> task<> {
    const counted local;
    for (;;) {
      auto both = race(this_task::sleep_for(3ms), this_task::sleep_for(2ms));
      co_await std::move(both);
    }
  };
  for (int i = 0; i < 100; ++i) {
    auto h = spawn(body);
    co_await this_task::sleep_for(std::chrono::microseconds(i * 37));
    const auto none = co_await h.cancel();
    EXPECT_FALSE(none.has_value());
  }
  EXPECT_EQ(counted::live(), 0);
}

TEST(virtual_clock, an_unknown_clock_is_refused) {
  runtime_options o;
  o.clock = static_cast<clock_kind>(7);
  EXPECT_THROW(runtime rt(o), std::system_error);
}

}  // namespace
