// What makes no sense is refused, by its name, before a run hangs over it.
#include <astd/channel.hpp>
#include <astd/future.hpp>
#include <astd/testing/sim/test_variable.hpp>
#include <astd/testing/sim_gtest.hpp>
#include <astd/this_task.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;
using astd::task;
namespace sim = astd::sim;
using sim::test::variable;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

template <class F>
std::string refused(F f) {
  try {
    f();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "it was taken";
}
void expect_refused(const sim::options& o, const char* named) {
  const std::string text = refused([&] { sim::run(o, []() -> task<> { co_return; }); });
  EXPECT_NE(text.find(named), std::string::npos) << text;
}

TEST(sim_checked, options) {
  for (const double bad : {nan, -0.1, 1.1, infinity}) {
    sim::options o;
    o.faults.set(sim::fault::packet_lost, bad);
    expect_refused(o, "packet lost");
    expect_refused({.link = {.loss = bad}}, "loss");
    expect_refused({.link = {.duplication = bad}}, "duplication");
    expect_refused({.link = {.reordering = bad}}, "reordering");
    expect_refused({.later = bad}, "later");
  }
  expect_refused({.link = {.latency = -1ns}}, "latency");
  expect_refused({.link = {.latency = std::chrono::nanoseconds::max()}}, "latency");
  expect_refused({.link = {.jitter = -1ns}}, "jitter");
  expect_refused({.shortest_turn = 2us, .longest_turn = 1us}, "longest_turn");
  expect_refused({.socket_room = 1}, "socket_room");
  expect_refused({.workers = 0}, "workers");
  sim::options fine;
  fine.faults.set(sim::fault::packet_lost, 1);
  sim::run(fine, []() -> task<> { co_return; });
}

TEST(sim_checked, names_of_hosts) {
  sim::run({}, [](sim::universe& universe) -> task<> {
    for (const char* bad :
         {"", "a b", "x:80", "12", "10.0.0.9", "a.1", "::1", "-x", "x-", "a..b", ".a", "a.", "localhost"})
      EXPECT_THROW(universe.add_host(bad), std::invalid_argument) << bad;
    EXPECT_THROW(universe.add_host(std::string(64, 'a')), std::invalid_argument);
    EXPECT_THROW(universe.add_name("a b", "scenario"), std::invalid_argument);
    EXPECT_TRUE(universe.hosts().empty());
    for (const char* good : {"a", "db-1.example.org", "10a", "with_line"}) universe.add_host(good);
    universe.add_host(std::string(63, 'a'));
    EXPECT_EQ(universe.hosts().size(), 5u);
    co_return;
  });
}

TEST(sim_checked, clocks_links_and_rates) {
  sim::run({}, [](sim::universe& universe) -> task<> {
    auto& a = universe.add_host("a");
    for (const double bad : {nan, infinity, -1.0, -5.0})
      EXPECT_THROW(a.set_clock_drift(bad), std::invalid_argument);
    EXPECT_THROW(a.set_descriptor_limit(-1), std::invalid_argument);
    EXPECT_THROW(a.set_descriptor_limit(1 << 30), std::invalid_argument);
    EXPECT_THROW(universe.set_links({.latency = -1s}), std::invalid_argument);
    EXPECT_THROW(universe.set_link("a", "scenario", {.loss = nan}), std::invalid_argument);
    EXPECT_THROW(universe.set_faults(sim::fault_rates().set(sim::fault::disk_full, 2)), std::invalid_argument);
    a.set_clock_drift(0.1);
    co_return;
  });
}

std::string refused_chaos(const sim::chaos_options& o, bool awaited) {
  return refused([&] {
    sim::run({.event_limit = 1'000'000}, [&](sim::universe& universe) -> task<> {
      universe.add_host("a");
      universe.add_host("b");
      if (awaited)
        co_await sim::chaos(universe, o);
      else
        astd::spawn(sim::chaos, std::ref(universe), o).detach();
      co_await astd::this_task::sleep_for(1h);
    });
  });
}

// Also where nobody would hear of it.
TEST(sim_checked, chaos) {
  for (const bool awaited : {false, true}) {
    for (const auto bad : {0ns, -1ns, std::chrono::nanoseconds::max()})
      EXPECT_NE(refused_chaos({.every = bad}, awaited).find("every"), std::string::npos);
    EXPECT_NE(refused_chaos({.lasts = -1ns}, awaited).find("lasts"), std::string::npos);
    EXPECT_NE(refused_chaos({.clogs = nan}, awaited).find("clogs"), std::string::npos);
    EXPECT_NE(refused_chaos({.crashes = -1}, awaited).find("crashes"), std::string::npos);
    EXPECT_NE(refused_chaos({.spared = {"nobody"}}, awaited).find("nobody"), std::string::npos);
    EXPECT_EQ(refused_chaos({.every = 1min}, false), "it was taken");
  }
}

TEST(sim_chaos, goes_on_however_short_its_breaks_are) {
  EXPECT_THROW(sim::run({.event_limit = 100'000},
                        [](sim::universe& universe) -> task<> {
                          universe.add_host("a");
                          co_await sim::chaos(universe, {.every = 1ns, .lasts = 0ns});
                        }),
               sim::limit_exceeded);
}

TEST(sim_chaos, strikes_hosts_that_come_later) {
  sim::report told;
  sim::run(
      {.seed = 7},
      [](sim::universe& universe) -> task<> {
        astd::spawn(sim::chaos, std::ref(universe), sim::chaos_options()).detach();
        co_await astd::this_task::sleep_for(1min);
        universe.add_host("late");
        co_await astd::this_task::sleep_for(5min);
        co_await universe.quiet();
      },
      &told);
  EXPECT_GT(told.faults, 10u);
  for (const auto& f : told.struck_faults) {
    EXPECT_EQ(f.where, "late");
    EXPECT_GT(f.when, 1min);
  }
}

// The lengths that it draws are what they are said to be: a change here is another run for each seed that was written down.
TEST(sim_chaos, its_breaks_have_the_average_that_was_asked_for) {
  sim::report told;
  sim::run(
      {.seed = 11},
      [](sim::universe& universe) -> task<> {
        universe.add_host("a");
        sim::chaos_options o;
        o.every = 1s;
        o.lasts = 1ms;
        o.crashes = o.pauses = o.clogs = 0;
        o.budget = 2000;
        co_await sim::chaos(universe, o);
      },
      &told);
  EXPECT_EQ(told.faults, 2000u);
  EXPECT_GT(told.simulated, 1800s);
  EXPECT_LT(told.simulated, 2200s);
}

TEST(sim_universe, eventually_may_be_asked_to_wait_for_ever) {
  sim::run({}, [](sim::universe& universe) -> task<> {
    co_await universe.eventually(std::chrono::nanoseconds::max(), [&] { return universe.now() > 10h; });
    EXPECT_LT(universe.now(), 11h);
  });
}

TEST(sim_universe, hosts_may_come_while_it_becomes_quiet) {
  sim::run({}, [](sim::universe& universe) -> task<> {
    // What shields itself delays the restart.
    auto& slow =
        universe.add_host("slow", []() -> task<> { co_await astd::shield(astd::this_task::sleep_for(10s)); });
    co_await astd::this_task::sleep_for(1s);
    universe.crash(slow);
    auto adding = astd::spawn(
        [](sim::universe& in) -> task<> {
          for (int i = 0; i < 100; ++i) {
            co_await astd::this_task::sleep_for(10ms);
            in.add_host("host" + std::to_string(i));
          }
        },
        std::ref(universe));
    co_await universe.quiet();
    EXPECT_EQ(universe.hosts().size(), 101u);
    for (sim::host* h : universe.hosts()) EXPECT_TRUE(h->is_up());
    co_await std::move(adding);
  });
}

TEST(sim_run, says_by_its_type_that_it_is_stuck) {
  const auto stuck = []() -> task<> {
    auto [tx, rx] = astd::channel<int>(1);
    auto never = co_await rx.recv();
    static_cast<void>(never);
  };
  EXPECT_THROW(sim::run({}, stuck), sim::deadlock);
}

template <class F>
std::string nonsense(F f) {
  try {
    f();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::invalid_argument);
    return e.what();
  }
  return "it was taken";
}

TEST(sim_checked, the_environment) {
  const auto body = +[](sim::universe&) -> task<> { co_return; };
  sim::detail::test_attempt<sim::options> what(body, sim::options());
  const auto trial = [&] { static_cast<void>(sim::detail::run_trial("suite", "test", what)); };
  const variable none("ASTD_SIM_SEED", nullptr);
  for (const char* name : {"ASTD_SIM_FAULTS", "ASTD_SIM_SHUFFLE"}) {
    const variable alone(name, "none");
    const std::string text = nonsense(trial);
    EXPECT_NE(text.find(name), std::string::npos) << text;
    EXPECT_NE(text.find("ASTD_SIM_SEED"), std::string::npos) << text;
  }
  {
    const variable alone("ASTD_SIM_TRACE", "1");
    EXPECT_NE(nonsense(trial).find("ASTD_SIM_SEED"), std::string::npos);
  }
  {
    const variable seed("ASTD_SIM_SEED", "5");
    for (const char* bad : {"2", "yes", ""}) {
      const variable trace("ASTD_SIM_TRACE", bad);
      EXPECT_NE(nonsense(trial).find("ASTD_SIM_TRACE"), std::string::npos) << bad;
    }
    const variable turned("ASTD_SIM_SHUFFLE", "5-3"), trace("ASTD_SIM_TRACE", "0");
    EXPECT_NE(nonsense(trial).find("5-3"), std::string::npos);
  }
  {
    const variable seed("ASTD_SIM_SEED", "5x");
    EXPECT_NE(nonsense(trial).find("5x"), std::string::npos);
  }
}

// Numbers that are the same on every machine.
TEST(sim_options, a_swarm_is_what_it_was) {
  const sim::options o = sim::swarm(1);
  EXPECT_EQ(o.shortest_turn, 285ns);
  EXPECT_EQ(o.longest_turn, 21304ns);
  EXPECT_EQ(o.link.latency, 9897778ns);
  for (std::uint64_t seed = 1; seed < 2000; ++seed) {
    const sim::options s = sim::swarm(seed);
    EXPECT_GE(s.shortest_turn, 50ns);
    EXPECT_LE(s.shortest_turn, 1us);
    EXPECT_GE(s.socket_room, 1'024u);
    EXPECT_LE(s.socket_room, 65'536u);
    EXPECT_GE(s.link.latency, 1us);
    EXPECT_LE(s.link.latency, 50ms);
    EXPECT_LE(s.link.jitter, 100ms);
    EXPECT_LE(s.faults.of(sim::fault::packet_lost), 0.2);
  }
}

}  // namespace
