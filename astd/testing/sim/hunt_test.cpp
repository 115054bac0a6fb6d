#include <astd/driver/sim/machine.hpp>
#include <astd/future.hpp>
#include <astd/random.hpp>
#include <astd/testing/sim/test_variable.hpp>
#include <astd/testing/sim_gtest.hpp>
#include <astd/time.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using astd::task;
namespace sim = astd::sim;
using sim::test::variable;

// Fails when one host was restarted while the other was down: two of many accidents are to blame.
task<> both_down(sim::universe& universe) {
  auto& a = universe.add_host("a");
  auto& b = universe.add_host("b");
  universe.add_host("c");
  astd::spawn(sim::chaos, std::ref(universe), sim::chaos_options{}).detach();
  for (int i = 0; i < 6000; ++i) {
    co_await astd::this_task::sleep_for(10ms);
    if (!a.is_up() && !b.is_up()) throw std::runtime_error("nobody is left");
  }
}

TEST(sim_hunt, finds_and_makes_small) {
  const auto found = sim::hunt({.first_seed = 1, .seeds = 100}, both_down);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->what, "nobody is left");
  EXPECT_EQ(found->told.faults, 2u);
  EXPECT_GT(found->faults, 2u);
  EXPECT_LE(found->shrink_runs, 200u);
  ASSERT_TRUE(found->smallest.only_faults);
  EXPECT_EQ(found->smallest.only_faults->size(), 2u);
  EXPECT_EQ(found->smallest.shuffle_to, 0u);  // the order of things has nothing to do with it
  const std::string text = to_string(*found);
  EXPECT_NE(text.find("crash at a"), std::string::npos) << text;
  EXPECT_NE(text.find("crash at b"), std::string::npos) << text;
  // What it says can be replayed, and fails.
  EXPECT_THROW(sim::run(found->smallest, both_down), std::runtime_error);
}

TEST(sim_hunt, finds_nothing_where_nothing_is) {
  const auto fine = [](sim::universe& universe) -> task<> {
    universe.add_host("a");
    co_await astd::this_task::sleep_for(1s);
  };
  EXPECT_FALSE(sim::hunt({.first_seed = 1, .seeds = 20, .twice_every = 1, .configuration = sim::swarm}, fine));
}

// Two tasks that race, and a program that minds who is first.
task<> race_of_two(sim::universe&) {
  std::vector<int> order;
  const auto step = [&order](int who) -> task<> {
    for (int i = 0; i < 20; ++i) co_await astd::this_task::yield();
    order.push_back(who);
  };
  auto one = astd::spawn(step, 1);
  auto two = astd::spawn(step, 2);
  co_await std::move(one);
  co_await std::move(two);
  if (order.front() == 2) throw std::runtime_error("the second was first");
}

TEST(sim_hunt, finds_the_order_that_matters) {
  const auto found = sim::hunt({.first_seed = 1, .seeds = 100}, race_of_two);
  ASSERT_TRUE(found);
  EXPECT_THROW(sim::run(found->smallest, race_of_two), std::runtime_error);
  if (found->smallest.shuffle_to != 0)
    EXPECT_LT(found->smallest.shuffle_to - found->smallest.shuffle_from, found->told.draws);
}

TEST(sim_hunt, notices_what_is_decided_elsewhere) {
  int runs = 0;
  const auto changing = [&runs](sim::universe& universe) -> task<> {
    universe.note(std::to_string(++runs));
    co_return;
  };
  const auto found = sim::hunt({.first_seed = 1, .seeds = 1, .twice_every = 1}, changing);
  ASSERT_TRUE(found);
  EXPECT_NE(found->what.find("differ"), std::string::npos);
}

TEST(sim_hunt, tells_of_a_failure_that_does_not_repeat) {
  int runs = 0;
  const auto once = [&runs](sim::universe& universe) -> task<> {
    universe.note(std::to_string(++runs));
    if (runs == 3) throw std::runtime_error("the third time");
    co_return;
  };
  const auto found = sim::hunt({.first_seed = 1, .seeds = 10, .twice_every = 0}, once);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->runs, 3u);
  EXPECT_NE(found->what.find("the third time"), std::string::npos) << found->what;
  EXPECT_NE(found->what.find("does not fail again"), std::string::npos) << found->what;
}

TEST(sim_hunt, tells_of_a_failure_whose_runs_differ) {
  int runs = 0;
  const auto changing = [&runs](sim::universe& universe) -> task<> {
    universe.note(std::to_string(++runs));
    throw std::runtime_error("always");
    co_return;
  };
  const auto found = sim::hunt({.first_seed = 1, .seeds = 1}, changing);
  ASSERT_TRUE(found);
  EXPECT_NE(found->what.find("always"), std::string::npos) << found->what;
  EXPECT_NE(found->what.find("differ"), std::string::npos) << found->what;
  const auto fine = sim::shrink({.seed = 1}, 10, [](sim::universe&) -> task<> { co_return; });
  EXPECT_NE(fine.what.find("does not fail"), std::string::npos) << fine.what;
}

TEST(sim_hunt, a_shrink_keeps_to_its_bound) {
  int runs = 0;
  const auto scenario = [&runs](sim::universe& universe) -> task<> {
    ++runs;
    co_await both_down(universe);
  };
  const auto found = sim::hunt({.first_seed = 1, .seeds = 100, .twice_every = 0, .shrink_runs = 5}, scenario);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->shrink_runs, 5u);
  EXPECT_EQ(static_cast<std::uint64_t>(runs), found->runs + 6);  // one more to begin with
  EXPECT_THROW(sim::run(found->smallest, both_down), std::runtime_error);
}

TEST(sim_options, go_to_the_environment_and_back) {
  sim::options o;
  o.seed = 0x5eed;
  o.only_faults = {{3, 17}};
  o.shuffle_from = 120;
  o.shuffle_to = 180;
  EXPECT_EQ(to_environment(o), "ASTD_SIM_SEED=0x5eed ASTD_SIM_FAULTS=3,17 ASTD_SIM_SHUFFLE=120-180");
  const variable seed("ASTD_SIM_SEED", "0x5eed"), faults("ASTD_SIM_FAULTS", "3,17"),
      shuffle("ASTD_SIM_SHUFFLE", "120-180");
  const sim::options back = sim::from_environment({});
  EXPECT_EQ(to_environment(back), to_environment(o));
  EXPECT_EQ(back.only_faults, o.only_faults);
}

TEST(sim_options, nonsense_in_the_environment_is_refused) {
  for (const char* bad : {"", "x", "12x", "-1", "0x", "99999999999999999999"}) {
    const variable seed("ASTD_SIM_SEED", bad);
    EXPECT_THROW(static_cast<void>(sim::from_environment({})), std::system_error) << bad;
  }
  for (const char* bad : {"", ",", "1,", "none,1"}) {
    const variable faults("ASTD_SIM_FAULTS", bad);
    EXPECT_THROW(static_cast<void>(sim::from_environment({})), std::system_error) << bad;
  }
  for (const char* bad : {"", "1", "1-", "-", "5-3"}) {
    const variable shuffle("ASTD_SIM_SHUFFLE", bad);
    EXPECT_THROW(static_cast<void>(sim::from_environment({})), std::system_error) << bad;
  }
  const variable seeds("ASTD_SIM_SEEDS", "0");
  EXPECT_THROW(static_cast<void>(sim::seeds_from_environment()), std::system_error);
}

TEST(sim_options, a_swarm_differs_and_repeats) {
  std::vector<double> rates;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const sim::options one = sim::swarm(seed), again = sim::swarm(seed);
    EXPECT_EQ(one.longest_turn, again.longest_turn);
    EXPECT_EQ(one.faults.of(sim::fault::packet_lost), again.faults.of(sim::fault::packet_lost));
    rates.push_back(one.faults.of(sim::fault::packet_lost));
  }
  EXPECT_NE(std::ranges::count(rates, 0.0), 0);
  EXPECT_NE(std::ranges::count(rates, 0.0), 20);
}

// The report of a test that fails, without failing here.
TEST(sim_gtest, a_failing_test_says_how_to_see_it_again) {
  const variable none("ASTD_SIM_SEED", nullptr);
  const auto body = +[](sim::universe& universe) -> task<> {
    universe.add_host("a");
    co_await astd::this_task::sleep_for(1s);
    EXPECT_EQ(1, 2) << "planted";
  };
  sim::detail::test_attempt<sim::options> what(body, sim::options());
  const std::string text = sim::detail::run_trial("suite", "test", what);
  EXPECT_NE(text.find("planted"), std::string::npos) << text;
  EXPECT_NE(text.find("ASTD_SIM_SEED=0x"), std::string::npos) << text;
  EXPECT_NE(text.find("--gtest_filter=suite.test"), std::string::npos) << text;
}

TEST(sim_gtest, an_expectation_is_told_though_the_run_throws_then) {
  const auto body = +[](sim::universe&) -> task<> {
    EXPECT_EQ(1, 2) << "planted";
    co_await astd::this_task::sleep_for(1s);
    throw std::runtime_error("afterwards");
  };
  sim::detail::test_attempt<sim::options> what(body, sim::options());
  const std::string text = sim::detail::run_trial("suite", "test", what);
  EXPECT_NE(text.find("planted"), std::string::npos) << text;
  EXPECT_NE(text.find("afterwards"), std::string::npos) << text;
  // Its kind is the expectation's: that is what a smaller run has to fail with.
  const auto r = sim::detail::try_once(what, {});
  EXPECT_NE(r.kind.find("hunt_test.cpp"), std::string::npos) << r.kind;
}

ASTD_SIM_TEST(sim_gtest, has_a_universe) {
  auto& h = universe.add_host("a");
  auto n = co_await h.run([]() -> task<int> { co_return 7; });
  EXPECT_EQ(n, 7);
}

}  // namespace
