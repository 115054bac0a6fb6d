#include <astd/channel.hpp>
#include <astd/fs.hpp>
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/print.hpp>
#include <astd/random.hpp>
#include <astd/testing/sim.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using astd::task;
namespace sim = astd::sim;

task<int> answer() {
  co_await astd::this_task::sleep_for(1h);
  co_return 42;
}

TEST(sim_run, gives_the_value_of_an_unchanged_program) {
  sim::report told;
  EXPECT_EQ(sim::run({.seed = 7}, answer, &told), 42);
  EXPECT_GE(told.simulated, 1h);
  EXPECT_LT(told.simulated, 1h + 1s);
  EXPECT_GT(told.events, 0u);
}

task<> refuses() { co_await astd::shield(astd::pending<>()); }
task<> refuses_again_and_again() {
  for (;;) co_await astd::shield(astd::this_task::sleep_for(1s));
}

TEST(sim_run, says_what_does_not_stop) {
  for (auto* stubborn : {refuses, refuses_again_and_again}) {
    const auto scenario = [stubborn](sim::universe& universe) -> task<> {
      universe.add_host("stubborn", stubborn);
      co_await astd::this_task::sleep_for(1s);
    };
    try {
      sim::run({.seed = 3, .event_limit = 1'000'000}, scenario);
      ADD_FAILURE() << "it has ended";
    } catch (const sim::limit_exceeded& e) {
      EXPECT_NE(std::string(e.what()).find("refuses"), std::string::npos) << e.what();
    }
  }
}

TEST(sim_run, throws_what_the_program_throws) {
  const auto bad = []() -> task<> {
    co_await astd::this_task::sleep_for(1s);
    throw std::runtime_error("no");
  };
  EXPECT_THROW(sim::run({}, bad), std::runtime_error);
}

TEST(sim_run, ends_what_the_program_leaves_behind) {
  bool destroyed = false;
  struct guard {
    bool& flag;
    ~guard() { flag = true; }
  };
  const auto leaves = [&]() -> task<> {
    astd::spawn(
        [](bool& flag) -> task<> {
          const guard g{flag};
          co_await astd::this_task::sleep_for(1000h);
        },
        std::ref(destroyed))
        .detach();
    co_await astd::this_task::sleep_for(1s);
  };
  sim::report told;
  sim::run({}, leaves, &told);
  EXPECT_TRUE(destroyed);
  EXPECT_LT(told.simulated, 1h);
}

TEST(sim_run, stops_at_its_limits) {
  const auto endless = []() -> task<> {
    for (;;) co_await astd::this_task::sleep_for(1s);
  };
  EXPECT_THROW(sim::run({.time_limit = 1h}, endless), sim::limit_exceeded);
  EXPECT_THROW(sim::run({.event_limit = 1000}, endless), sim::limit_exceeded);
}

TEST(sim_run, says_who_waits_for_whom_in_a_deadlock) {
  const auto stuck = []() -> task<> {
    auto [tx, rx] = astd::channel<int>(1, "the post");
    auto never = co_await rx.recv();
    static_cast<void>(never);
  };
  try {
    sim::run({}, stuck);
    ADD_FAILURE() << "it ended";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::resource_deadlock_would_occur);
    EXPECT_NE(std::string(e.what()).find("the post"), std::string::npos) << e.what();
  }
}

task<std::string> letters(sim::universe& universe) {
  auto& order = universe.make<std::string>();
  for (const char* name : {"a", "b", "c"})
    universe.add_host(name, [&order, name]() -> task<> {
      for (int i = 0; i < 5; ++i) {
        co_await astd::this_task::sleep_for(1ms);
        order += name;
      }
    });
  co_await universe.eventually(1s, [&] { return order.size() == 15; });
  co_return order;
}

TEST(sim_run, the_seed_decides) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    sim::report one, other;
    const std::string first = sim::run({.seed = seed}, letters, &one);
    EXPECT_EQ(first, sim::run({.seed = seed}, letters, &other));
    EXPECT_EQ(one.trace_hash, other.trace_hash) << "seed " << seed;
    EXPECT_EQ(one.events, other.events);
    orders.insert(first);
  }
  EXPECT_GT(orders.size(), 5u);
}

TEST(sim_host, runs_what_it_is_given) {
  const int n = sim::run({}, [](sim::universe& universe) -> task<int> {
    auto& h = universe.add_host("worker");
    auto a = co_await h.run(
        [](int x) -> task<int> {
          co_await astd::this_task::sleep_for(1s);
          co_return x + 1;
        },
        1);
    auto b = co_await h.run([]() -> task<int> { co_return 10; });
    co_return a + b;
  });
  EXPECT_EQ(n, 12);
}

TEST(sim_host, its_failure_is_the_runs) {
  const auto scenario = [](sim::universe& universe) -> task<> {
    universe.add_host("bad", []() -> task<> {
      co_await astd::this_task::sleep_for(1s);
      throw std::runtime_error("the program of a host");
    });
    co_await astd::this_task::sleep_for(10h);
  };
  sim::report told;
  EXPECT_THROW(sim::run({}, scenario, &told), std::runtime_error);
  EXPECT_LT(told.simulated, 1min);
}

TEST(sim_host, a_crash_cancels_its_tasks_and_a_restart_begins_anew) {
  sim::run({}, [](sim::universe& universe) -> task<> {
    int& begun = universe.make<int>(0);
    int& destroyed = universe.make<int>(0);
    struct guard {
      int& n;
      ~guard() { ++n; }
    };
    auto& h = universe.add_host("server", [&]() -> task<> {
      ++begun;
      const guard g{destroyed};
      co_await astd::this_task::sleep_for(1000h);
    });
    auto running = h.spawn([]() -> task<> { co_await astd::this_task::sleep_for(1000h); });
    co_await astd::this_task::sleep_for(1s);
    EXPECT_EQ(begun, 1);
    EXPECT_EQ(h.life(), 1u);
    universe.crash(h);
    EXPECT_FALSE(h.is_up());
    auto ended = co_await astd::as_result(std::move(running));
    EXPECT_FALSE(ended);
    EXPECT_EQ(destroyed, 1);
    // On one that is down nothing begins, and whoever waits for it hears of that.
    auto refused = co_await astd::as_result(h.run([]() -> task<int> { co_return 1; }));
    EXPECT_FALSE(refused);
    bool threw = false;
    try {
      co_await h.spawn([]() -> task<> { co_return; });
    } catch (const astd::task_cancelled&) {
      threw = true;
    }
    EXPECT_TRUE(threw);
    co_await astd::this_task::sleep_for(1s);
    universe.restart(h);
    co_await astd::this_task::sleep_for(1s);
    EXPECT_TRUE(h.is_up());
    EXPECT_EQ(h.life(), 2u);
    EXPECT_EQ(begun, 2);
    universe.restart("server");  // one that is up crashes first
    co_await astd::this_task::sleep_for(1s);
    EXPECT_EQ(begun, 3);
    EXPECT_EQ(destroyed, 2);
  });
}

TEST(sim_host, stands_still_while_it_is_paused) {
  sim::run({}, [](sim::universe& universe) -> task<> {
    int& ticks = universe.make<int>(0);
    auto& h = universe.add_host("ticking", [&]() -> task<> {
      for (;;) {
        co_await astd::this_task::sleep_for(1s);
        ++ticks;
      }
    });
    co_await astd::this_task::sleep_for(10'500ms);
    universe.pause(h);
    EXPECT_TRUE(h.is_paused());
    co_await astd::this_task::sleep_for(1s);
    const int then = ticks;
    co_await astd::this_task::sleep_for(1h);
    EXPECT_EQ(ticks, then);
    universe.resume("ticking");
    co_await astd::this_task::sleep_for(10s);
    EXPECT_GT(ticks, then);
  });
}

TEST(sim_host, has_clocks_of_its_own) {
  sim::run({}, [](sim::universe& universe) -> task<> {
    auto& h = universe.add_host("late");
    h.set_clock_drift(-0.5);
    const auto begin = universe.now();
    co_await h.run([]() -> task<> { co_await astd::this_task::sleep_for(10s); });
    EXPECT_GE(universe.now() - begin, 20s);
    EXPECT_LT(universe.now() - begin, 21s);
    const auto time_of_day = []() -> task<astd::system_clock::time_point> { co_return astd::system_clock::now(); };
    auto before = co_await h.run(time_of_day);
    h.jump_clock(-1h);
    auto after = co_await h.run(time_of_day);
    EXPECT_LT(after, before - 59min);
  });
}

TEST(sim_host, keeps_what_was_synced_and_what_was_printed) {
  sim::run({}, [](sim::universe& universe) -> task<> {
    auto& h = universe.add_host("disk", []() -> task<> {
      auto before = co_await astd::as_result(astd::fs::read_to_string("/kept"));
      const std::string found = before.value_or("nothing");
      co_await astd::println("{}", found);
      auto out = co_await astd::fs::file::create("/kept");
      co_await astd::io::write_all(out, "something");
      co_await out.sync_all();
      co_await out.close();
      auto folder = co_await astd::fs::file::open("/");
      co_await folder.sync_all();
    });
    co_await astd::this_task::sleep_for(1min);
    EXPECT_EQ(h.output(), "nothing\n");
    universe.restart(h);
    co_await astd::this_task::sleep_for(1min);
    EXPECT_EQ(h.output(), "nothing\nsomething\n");
    EXPECT_EQ(h.error_output(), "");
  });
}

TEST(sim_host, has_as_many_descriptors_as_it_is_given) {
  sim::run({}, [](sim::universe& universe) -> task<> {
    auto& h = universe.add_host("small");
    h.set_descriptor_limit(1);
    const auto open_two = []() -> task<std::error_code> {
      auto one = co_await astd::fs::file::create("/tmp/one");
      auto two = co_await astd::as_result(astd::fs::file::create("/tmp/two"));
      co_await one.close();
      co_return two ? std::error_code() : two.error();
    };
    auto error = co_await h.run(open_two);
    EXPECT_EQ(error, std::errc::too_many_files_open);
  });
}

TEST(sim_run, gives_programs_their_random_numbers) {
  const auto draw = []() -> task<std::uint64_t> { co_return astd::random::next(); };
  EXPECT_EQ(sim::run({.seed = 5}, draw), sim::run({.seed = 5}, draw));
  EXPECT_NE(sim::run({.seed = 5}, draw), sim::run({.seed = 6}, draw));
}

TEST(sim_universe, eventually_waits_and_gives_up) {
  sim::run({}, [](sim::universe& universe) -> task<> {
    bool there = false;
    auto later = astd::spawn(
        [](bool& flag) -> task<> {
          co_await astd::this_task::sleep_for(5s);
          flag = true;
        },
        std::ref(there));
    co_await universe.eventually(10s, [&] { return there; });
    EXPECT_LT(universe.now(), 6s);
    co_await universe.eventually(10s, [&]() -> task<bool> { co_return there; });
    auto never = co_await astd::as_result(universe.eventually(10s, [] { return false; }, "the moon"));
    EXPECT_FALSE(never);
    if (!never) EXPECT_EQ(never.error(), std::errc::timed_out);
    co_await std::move(later);
  });
}

// Programs that have something to go on with when the scenario ends touch what they share with it once more.
TEST(sim_universe, what_it_makes_outlives_all_programs) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    sim::run({.seed = seed}, [](sim::universe& universe) -> task<> {
      auto& words = universe.make<std::vector<std::string>>();
      for (const char* name : {"a", "b", "c"})
        universe.add_host(name, [&words, name]() -> task<> {
          for (;;) {
            co_await astd::this_task::yield();
            words.emplace_back(name);
          }
        });
      co_await astd::this_task::sleep_for(100us);
    });
}

TEST(sim_universe, unknown_hosts_are_refused) {
  sim::run({}, [](sim::universe& universe) -> task<> {
    universe.add_host("one");
    EXPECT_THROW(universe.add_host("one"), std::invalid_argument);
    EXPECT_THROW(universe.crash("two"), std::invalid_argument);
    EXPECT_EQ(universe.hosts().size(), 1u);
    co_return;
  });
}

// Whatever chaos does, after quiet() everything is up and works.
task<> survives(sim::universe& universe) {
  int& restarts = universe.make<int>(0);
  for (const char* name : {"a", "b", "c"})
    universe.add_host(name, [&restarts]() -> task<> {
      ++restarts;
      for (;;) co_await astd::this_task::sleep_for(100ms);
    });
  astd::spawn(sim::chaos(universe)).detach();
  co_await astd::this_task::sleep_for(5min);
  co_await universe.quiet();
  for (sim::host* h : universe.hosts()) {
    EXPECT_TRUE(h->is_up());
    EXPECT_FALSE(h->is_paused());
    auto n = co_await h->run([]() -> task<int> { co_return 1; });
    EXPECT_EQ(n, 1);
  }
}

TEST(sim_chaos, ends_in_quiet) {
  std::uint64_t faults = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    sim::report told, again;
    sim::run({.seed = seed}, survives, &told);
    sim::run({.seed = seed}, survives, &again);
    EXPECT_EQ(told.trace_hash, again.trace_hash) << "seed " << seed;
    faults += told.faults;
  }
  EXPECT_GT(faults, 100u);
}

TEST(sim_chaos, leaves_the_spared_and_the_budget) {
  sim::report told;
  sim::run(
      {.seed = 3},
      [](sim::universe& universe) -> task<> {
        universe.add_host("a");
        universe.add_host("b");
        sim::chaos_options few;
        few.budget = 7;
        few.spared.push_back("b");
        co_await sim::chaos(universe, few);
        co_await universe.quiet();
      },
      &told);
  EXPECT_EQ(told.faults, 7u);
  for (const auto& f : told.struck_faults) EXPECT_EQ(f.where, "a");
}

}  // namespace
