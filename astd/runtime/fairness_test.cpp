// Whoever is always ready does not keep the others from their turn.
#include <astd/coro/poll_fn.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;

// ---- the busy: each would go on for ever if nobody stopped it

struct world {
  std::atomic<bool> stop = false;
};

task<> nothing() { co_return; }

task<> yields(world& w) {
  while (!w.stop) co_await this_task::yield();
}
task<> joins_what_it_spawns(world& w) {
  while (!w.stop) {
    auto h = spawn(nothing());
    co_await h;
  }
}
task<> spawns_its_successor(world& w) {
  if (!w.stop) spawn(spawns_its_successor, std::ref(w)).detach();
  co_return;
}
task<> polls_what_is_ready(world& w) {
  // Wakes itself and is polled again, again and again.
  auto look = [&w](const waker& self) {
    self.wake();
    return w.stop.load();
  };
  co_await poll_fn(look);
}
// Two on one thread that wake each other by turns.
task<> plays_ball(world& w) {
  std::optional<waker> waiting[2];
  auto player = [](world& in, std::optional<waker>* both, int me) -> task<> {
    auto look = [&in, both, me](const waker& self) {
      both[me] = self;
      if (both[1 - me]) both[1 - me]->wake();
      return in.stop.load();
    };
    co_await poll_fn(look);
  };
  auto a = spawn_local(player, std::ref(w), waiting, 0);
  auto b = spawn_local(player, std::ref(w), waiting, 1);
  co_await a;
  co_await b;
}

struct kind {
  const char* name;
  task<> (*run)(world&);
};
constexpr kind kinds[] = {{"yields", yields},
                          {"joins", joins_what_it_spawns},
                          {"respawns", spawns_its_successor},
                          {"polls", polls_what_is_ready},
                          {"plays", plays_ball}};

struct setting {
  kind busy;
  unsigned workers;
};

class fairness : public testing::TestWithParam<setting> {
 protected:
  // Runs `other` on a runtime all of whose workers have twice as many busy tasks as they can run.
  void among_the_busy(task<> (*other)()) {
    world w;
    {
      runtime rt({.workers = GetParam().workers, .name = "busy"});
      std::vector<join_handle<>> handles;
      for (unsigned i = 0; i < 2 * GetParam().workers; ++i)
        handles.push_back(rt.spawn(GetParam().busy.run, std::ref(w)));
      rt.block_on(rt.spawn(other));
      w.stop = true;
      for (auto& h : handles) rt.block_on(h);
    }
  }
};

TEST_P(fairness, a_task_that_yields) {
  among_the_busy([]() -> task<> {
    for (int i = 0; i < 20; ++i) co_await this_task::yield();
  });
}
TEST_P(fairness, a_task_that_sleeps) {
  among_the_busy([]() -> task<> {
    for (int i = 0; i < 5; ++i) co_await this_task::sleep_for(100us);
  });
}
TEST_P(fairness, a_task_that_spawns) {
  among_the_busy([]() -> task<> {
    for (int i = 0; i < 20; ++i) {
      auto h = spawn(nothing());
      co_await h;
    }
  });
}
TEST_P(fairness, a_task_that_is_bound_to_its_worker) {
  among_the_busy([]() -> task<> {
    auto bound = []() -> task<> {
      for (int i = 0; i < 20; ++i) co_await this_task::yield();
    };
    auto h = spawn_local(bound);
    co_await h;
  });
}
TEST_P(fairness, a_task_that_calls_the_blocking_pool) {
  among_the_busy([]() -> task<> {
    for (int i = 0; i < 5; ++i) {
      auto h = spawn_blocking([] {});
      co_await h;
    }
  });
}

INSTANTIATE_TEST_SUITE_P(among, fairness, testing::ValuesIn([] {
                           std::vector<setting> all;
                           for (const kind& k : kinds)
                             for (const unsigned workers : {1u, 2u}) all.push_back({k, workers});
                           return all;
                         }()),
                         [](const auto& about) {
                           return about.param.busy.name + std::string("_") + std::to_string(about.param.workers);
                         });

// Between two of its own turns its children run: they do not pile up behind it.
TEST(fairness_of_all, a_chain_of_spawners_does_not_outrun_its_children) {
  for (const unsigned workers : {1u, 2u}) {
    struct counts {
      std::atomic<long> begun = 0, most_waiting = 0, spawned = 0;
    } n;
    constexpr long links = ASTD_SANITIZED ? 20'000 : 200'000;
    struct link {
      static task<> child(counts& c) {
        ++c.begun;
        co_return;
      }
      static task<> next(counts& c, long left) {
        spawn(child, std::ref(c)).detach();
        const long waiting = ++c.spawned - c.begun;
        if (waiting > c.most_waiting) c.most_waiting = waiting;
        if (left > 0) spawn(next, std::ref(c), left - 1).detach();
        co_return;
      }
    };
    runtime rt({.workers = workers, .name = "chain"});
    rt.spawn(link::next, std::ref(n), links).detach();
    test::wait_until([&] { return n.begun == links + 1; });
    EXPECT_LT(n.most_waiting, links / 10) << workers << " workers";
  }
}

TEST(fairness_of_all, everybody_gets_through) {
  world w;
  runtime rt({.workers = 2, .name = "all"});
  std::vector<join_handle<>> busy;
  for (const kind& k : kinds) busy.push_back(rt.spawn(k.run, std::ref(w)));
  auto steps = []() -> task<> {
    for (int i = 0; i < 10; ++i) {
      co_await this_task::yield();
      co_await this_task::sleep_for(50us);
    }
  };
  std::vector<join_handle<>> others;
  for (int i = 0; i < 50; ++i) others.push_back(rt.spawn(steps));
  for (auto& h : others) rt.block_on(h);
  w.stop = true;
  for (auto& h : busy) rt.block_on(h);
}

}  // namespace
