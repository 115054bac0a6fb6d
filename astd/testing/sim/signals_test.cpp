#include <astd/future.hpp>
#include <astd/signal.hpp>
#include <astd/task.hpp>
#include <astd/testing/sim_gtest.hpp>
#include <astd/this_task.hpp>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;
using astd::task;
namespace sim = astd::sim;
namespace signals = astd::signal;

task<> counts_hangups(int& count) {
  signals::stream hangups(SIGHUP);
  for (;;) {
    co_await hangups.next();
    ++count;
  }
}

ASTD_SIM_TEST(sim_signals, come_to_the_streams_of_their_host_alone) {
  int& here = universe.make<int>(0);
  int& there = universe.make<int>(0);
  auto& one = universe.add_host("one", [&here] { return counts_hangups(here); });
  universe.add_host("two", [&there] { return counts_hangups(there); });
  co_await astd::this_task::sleep_for(1ms);
  for (int i = 0; i < 3; ++i) {
    one.raise(SIGHUP);
    co_await astd::this_task::sleep_for(1ms);
  }
  universe.raise("two", SIGHUP);
  co_await astd::this_task::sleep_for(1ms);
  EXPECT_EQ(here, 3);
  EXPECT_EQ(there, 1);
  EXPECT_TRUE(one.is_up());
}

ASTD_SIM_TEST(sim_signals, ctrl_c_is_awaited) {
  auto& h = universe.add_host("host");
  auto waiting = h.spawn([]() -> task<int> {
    co_await signals::ctrl_c();
    co_return 7;
  });
  co_await astd::this_task::sleep_for(1ms);
  EXPECT_FALSE(waiting.is_finished());
  h.raise(SIGINT);
  const int value = co_await std::move(waiting);
  EXPECT_EQ(value, 7);
}

ASTD_SIM_TEST(sim_signals, what_nobody_listens_to_ends_the_program) {
  for (const int number : {SIGTERM, SIGKILL, SIGUSR1}) {
    auto& h = universe.add_host("host-" + std::to_string(number), []() -> task<> {
      const signals::stream other(SIGUSR2);
      co_await astd::this_task::sleep_for(1h);
    });
    co_await astd::this_task::sleep_for(1ms);
    h.raise(SIGCHLD);
    h.raise(SIGWINCH);
    co_await astd::this_task::sleep_for(1ms);
    EXPECT_TRUE(h.is_up());
    h.raise(number);
    co_await astd::this_task::sleep_for(1ms);
    EXPECT_FALSE(h.is_up());
    h.raise(number);  // there is nobody
    universe.restart(h);
    co_await universe.eventually(1s, [&] { return h.is_up(); });
    EXPECT_EQ(h.life(), 2u);
  }
}

task<> ends_well(int& drained) {
  auto body = [](astd::cancel_token stop, int& done) -> task<> {
    co_await stop.cancelled();
    co_await astd::this_task::sleep_for(1s);
    ++done;
  };
  const bool by_itself = co_await signals::run_gracefully(
      [&](astd::cancel_token stop) { return body(std::move(stop), drained); }, 10s);
  EXPECT_TRUE(by_itself);
}

ASTD_SIM_TEST(sim_signals, a_graceful_shutdown_is_asked_for_by_the_first_and_the_second_ends_it) {
  int& drained = universe.make<int>(0);
  auto& patient = universe.add_host("patient", [&drained] { return ends_well(drained); });
  auto& hasty = universe.add_host("hasty", [&drained] { return ends_well(drained); });
  co_await astd::this_task::sleep_for(1ms);
  patient.raise(SIGTERM);
  hasty.raise(SIGTERM);
  co_await astd::this_task::sleep_for(100ms);
  hasty.raise(SIGTERM);
  co_await astd::this_task::sleep_for(2s);
  EXPECT_EQ(drained, 1);
  EXPECT_TRUE(patient.is_up());
  EXPECT_FALSE(hasty.is_up());
}

ASTD_SIM_TEST(sim_signals, a_stopped_program_gets_them_when_it_goes_on) {
  int& count = universe.make<int>(0);
  auto& h = universe.add_host("host", [&count] { return counts_hangups(count); });
  co_await astd::this_task::sleep_for(1ms);
  h.raise(SIGSTOP);
  co_await astd::this_task::sleep_for(1ms);
  EXPECT_TRUE(h.is_paused());
  h.raise(SIGHUP);
  h.raise(SIGTERM);
  co_await astd::this_task::sleep_for(1s);
  EXPECT_EQ(count, 0);
  EXPECT_TRUE(h.is_up()) << "SIGTERM waits";
  h.raise(SIGCONT);
  co_await astd::this_task::sleep_for(1ms);
  EXPECT_FALSE(h.is_up());
}

TEST(sim_signals, two_runs_are_one) {
  const auto scenario = [](sim::universe& universe) -> task<> {
    int& count = universe.make<int>(0);
    auto& h = universe.add_host("host", [&count] { return counts_hangups(count); });
    co_await astd::this_task::sleep_for(1ms);
    for (int i = 0; i < 20; ++i) {
      h.raise(SIGHUP);
      co_await astd::this_task::sleep_for(500ns);
    }
    h.raise(SIGTERM);
    co_await astd::this_task::sleep_for(1ms);
    EXPECT_GT(count, 0);
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    sim::report one, other;
    sim::run({.seed = seed}, scenario, &one);
    sim::run({.seed = seed}, scenario, &other);
    EXPECT_EQ(one.trace_hash, other.trace_hash) << seed;
  }
}

ASTD_SIM_TEST(sim_signals, nonsense_is_refused) {
  auto& h = universe.add_host("host");
  for (const int number : {0, -1, 65, 1000}) {
    try {
      h.raise(number);
      ADD_FAILURE() << number;
    } catch (const std::invalid_argument& e) {
      EXPECT_EQ(std::string(e.what()), "raise: " + std::to_string(number) + " is no signal");
    }
  }
  co_return;
}

}  // namespace
