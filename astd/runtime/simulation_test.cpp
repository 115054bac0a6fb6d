#include <astd/channel.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/event.hpp>
#include <astd/future.hpp>
#include <astd/mutex.hpp>
#include <astd/runtime/simulation.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using astd::task;
using astd::detail::simulation;
using astd::driver::sim::machine;

struct one_machine {
  explicit one_machine(std::uint64_t seed = 1, unsigned workers = 2)
      : s({.seed = seed}), m(s.in().add_machine("alone")), rt(s.start(m, {.workers = workers})) {}
  simulation s;
  machine& m;
  std::unique_ptr<astd::runtime> rt;
};

task<int> five() { co_return 5; }

TEST(simulation, runs_a_task_and_gives_its_value) {
  one_machine w;
  EXPECT_EQ(w.rt->block_on(five()), 5);
}

task<int> sum_of_children(int n) {
  int sum = 0;
  std::vector<astd::join_handle<int>> children;
  for (int i = 0; i < n; ++i)
    children.push_back(astd::spawn(
        [](int v) -> task<int> {
          co_await astd::this_task::yield();
          co_return v;
        },
        i));
  for (auto& c : children) {
    const int v = co_await std::move(c);
    sum += v;
  }
  co_return sum;
}

TEST(simulation, spawned_tasks_run_on_several_virtual_workers) {
  one_machine w(3, 3);
  EXPECT_EQ(w.rt->block_on(sum_of_children(1000)), 499'500);
  const auto m = w.rt->metrics();
  std::uint64_t busy = 0;
  for (const auto& one : m.workers) busy += one.polls > 0;
  EXPECT_GE(busy, 2u);
  EXPECT_EQ(m.driver, "sim");
}

task<> hours() {
  for (int i = 0; i < 100; ++i) co_await astd::this_task::sleep_for(1h);
}

TEST(simulation, hours_take_no_time) {
  one_machine w;
  const auto before = w.s.in().now();
  w.rt->block_on(hours());
  EXPECT_GE(w.s.in().now() - before, std::chrono::nanoseconds(100h).count());
  EXPECT_LE(w.s.in().now() - before, std::chrono::nanoseconds(100h + 10ms).count());
}

task<std::string> order_of_ends(int n) {
  std::string order;
  std::vector<astd::join_handle<void>> all;
  for (int i = 0; i < n; ++i)
    all.push_back(astd::spawn(
        [](std::string& to, int id) -> task<> {
          for (int k = 0; k < 3; ++k) co_await astd::this_task::yield();
          to += static_cast<char>('a' + id);
        },
        std::ref(order), i));
  for (auto& h : all) co_await std::move(h);
  co_return order;
}

TEST(simulation, the_seed_decides_the_order) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    one_machine first(seed), again(seed);
    const std::string a = first.rt->block_on(order_of_ends(10));
    const std::string b = again.rt->block_on(order_of_ends(10));
    EXPECT_EQ(a, b) << "seed " << seed;
    EXPECT_EQ(first.s.in().trace_hash(), again.s.in().trace_hash()) << "seed " << seed;
    orders.insert(a);
  }
  EXPECT_GT(orders.size(), 10u);
}

task<> wait_for_ever(astd::mutex& m) {
  auto first = co_await m.lock();
  auto second = co_await m.lock();
}

TEST(simulation, a_deadlock_ends_block_on_with_a_dump) {
  one_machine w;
  astd::mutex m("the ledger");
  try {
    w.rt->block_on(wait_for_ever(m));
    ADD_FAILURE() << "it ended";
  } catch (const astd::sim::deadlock& e) {
    EXPECT_NE(std::string(e.what()).find("the ledger"), std::string::npos) << e.what();
    EXPECT_EQ(e.code(), std::errc::resource_deadlock_would_occur);
  }
  EXPECT_EQ(w.rt->block_on(five()), 5);
}

task<int> nested() {
  const int inner = astd::block_on(sum_of_children(100));
  co_return inner;
}

TEST(simulation, block_on_nests) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    one_machine w(seed, 1 + seed % 3);
    EXPECT_EQ(w.rt->block_on(nested()), 4950);
  }
}

task<std::string> two_calls() {
  // Two calls that wait for each other: each has the stack to itself.
  astd::mutex m;
  auto [tx, rx] = astd::channel<int>(1);
  auto [back_tx, back_rx] = astd::channel<int>(1);
  auto first = astd::spawn_blocking([&tx = tx, &back_rx = back_rx] {
    tx.send_blocking(7);
    return back_rx.recv_blocking().value();
  });
  auto second = astd::spawn_blocking([&rx = rx, &back_tx = back_tx] {
    const int got = rx.recv_blocking().value();
    back_tx.send_blocking(got + 1);
    return got;
  });
  const int a = co_await std::move(first);
  const int b = co_await std::move(second);
  co_return std::to_string(a) + " " + std::to_string(b);
}

TEST(simulation, blocking_calls_wait_for_each_other_and_stay_reproducible) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    one_machine first(seed), again(seed);
    EXPECT_EQ(first.rt->block_on(two_calls()), "8 7");
    EXPECT_EQ(again.rt->block_on(two_calls()), "8 7");
    EXPECT_EQ(first.s.in().trace_hash(), again.s.in().trace_hash()) << "seed " << seed;
  }
}

TEST(simulation, several_machines_share_one_time) {
  simulation s({.seed = 5});
  auto a = s.start(s.in().add_machine("a"), {.workers = 1});
  auto b = s.start(s.in().add_machine("b"), {.workers = 2});
  auto [tx, rx] = astd::channel<int>(1);
  auto sender = b->spawn(
      [](astd::sender<int> to) -> task<> {
        co_await astd::this_task::sleep_for(10s);
        co_await to.send(1);
      },
      std::move(tx));
  const auto got = a->block_on(rx.recv());
  EXPECT_EQ(got, 1);
  EXPECT_GE(s.in().now(), std::chrono::nanoseconds(10s).count());
  a->block_on(std::move(sender));
}

TEST(simulation, clocks_drift_and_jump) {
  one_machine w;
  w.m.set_drift(0.5);
  const auto before = w.s.in().now();
  w.rt->block_on(astd::this_task::sleep_for(15s));
  EXPECT_NEAR(static_cast<double>(w.s.in().now() - before), 10e9, 1e6);
  astd::system_clock::time_point first, second;
  w.rt->block_on([](machine& m, auto& one, auto& two) -> task<> {
    one = astd::system_clock::now();
    m.jump(-3'600'000'000'000);
    two = astd::system_clock::now();
    co_return;
  }(w.m, first, second));
  EXPECT_EQ(first - second, 1h);
}

TEST(simulation, a_sleeper_wakes_by_its_own_clock_also_when_its_pace_changes) {
  for (const double rate : {1.0, -0.5}) {
    one_machine w;
    constexpr double second = 1e9;
    w.s.in().after(600'000'000'000, [&] { w.m.set_drift(rate); });
    w.rt->block_on(astd::this_task::sleep_for(1h));
    EXPECT_NEAR(static_cast<double>(w.s.in().now()), (600 + 3000 / (1 + rate)) * second, 1e6) << rate;
  }
}

TEST(simulation, a_paused_machine_goes_on_where_it_was) {
  simulation s({.seed = 9});
  machine& m = s.in().add_machine("slow");
  auto slow = s.start(m, {.workers = 2});
  auto other = s.start(s.in().add_machine("other"), {.workers = 1});
  auto ticking = slow->spawn([]() -> task<> {
    for (int i = 0; i < 10; ++i) co_await astd::this_task::sleep_for(1s);
  });
  m.pause();
  other->block_on(astd::this_task::sleep_for(1min));
  EXPECT_FALSE(ticking.is_finished());
  m.go_on();
  other->block_on(std::move(ticking));
  EXPECT_GE(s.in().now(), std::chrono::nanoseconds(69s).count());
}

TEST(simulation, other_threads_may_wake_and_enter_a_plain_one) {
  astd::runtime rt({.workers = 2, .driver = astd::driver::choice::sim});
  auto [tx, rx] = astd::channel<int>(1);
  std::thread sender([&tx = tx] { tx.send_blocking(3); });
  EXPECT_EQ(rt.block_on(rx.recv()), 3);
  sender.join();
  std::thread other([&] { EXPECT_EQ(rt.block_on(sum_of_children(100)), 4950); });
  EXPECT_EQ(rt.block_on(sum_of_children(100)), 4950);
  other.join();
}

TEST(simulation, a_shutdown_cancels_and_reports) {
  one_machine w;
  auto h = w.rt->spawn(hours());
  const auto report = w.rt->shutdown(1s);
  EXPECT_TRUE(report.complete) << report.text;
  EXPECT_TRUE(h.is_finished());
}

TEST(simulation, a_runtime_may_end_on_one_thread_while_another_is_in_block_on) {
  astd::runtime rt({.workers = 1, .driver = astd::driver::choice::sim});
  astd::event done;
  std::thread other([&] {
    {
      astd::runtime second({.workers = 1, .driver = astd::driver::choice::sim});
      second.spawn(hours()).detach();
    }
    done.notify_one();  // which is kept if nobody waits yet
  });
  rt.block_on(done.wait());
  other.join();
}

task<> sleep_for_a_tenth() { co_await astd::this_task::sleep_for(100ms); }

TEST(simulation, a_sleep_ends_in_the_background_whatever_else_wakes_it) {
  astd::runtime rt({.workers = 1, .driver = astd::driver::choice::sim});
  auto sleeper = rt.spawn(sleep_for_a_tenth);
  const auto begin = std::chrono::steady_clock::now();
  while (!sleeper.is_finished() && std::chrono::steady_clock::now() - begin < 60s) {
    rt.spawn(five).detach();
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_TRUE(sleeper.is_finished());
}

TEST(simulation, what_runs_can_be_dumped_from_another_thread) {
  astd::runtime rt({.workers = 2, .driver = astd::driver::choice::sim});
  std::atomic<bool> over = false;
  std::thread looking([&] {
    while (!over) EXPECT_FALSE(rt.dump_tasks().empty());
  });
  for (int i = 0; i < 50; ++i) EXPECT_EQ(rt.block_on(sum_of_children(100)), 4950);
  over = true;
  looking.join();
}

TEST(simulation, calls_that_were_withdrawn_leave_nothing_behind) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    one_machine w(seed);
    w.rt->block_on([]() -> task<> {
      auto call = astd::spawn_blocking([] { return 1; });
      const auto ended = co_await call.cancel();
      static_cast<void>(ended);
    }());
    w.rt.reset();
    while (w.s.in().step()) {
    }
  }
}

}  // namespace
