#include <astd/base/config.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/poll_fn.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>
#include <astd/coro/test_world.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <concepts>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using test::counted;
using test::ending;
using test::manual_executor;
using test::run_to_end;
using test::stack_probe;
using test::test_run;
using test::world;

constexpr auto never = [](const waker&) { return false; };
constexpr auto moves_pointer = [](const waker&) -> std::optional<std::unique_ptr<int>> {
  return std::make_unique<int>(2);
};
static_assert(std::same_as<await_result_t<decltype(poll_fn(never))>, void>);
static_assert(std::same_as<await_result_t<decltype(poll_fn(moves_pointer))>, std::unique_ptr<int>>);
static_assert(std::same_as<await_result_t<decltype(poll_fn(std::declval<bool (&)(const waker&)>()))>, void>);

TEST(poll_fn, gives_at_once_what_is_there) {
  auto program = []() -> task<int> {
    auto p = co_await poll_fn(moves_pointer);
    co_await poll_fn([](const waker&) { return true; });
    co_return *p;
  };
  EXPECT_EQ(run_to_end(program()), 2);
}

TEST(poll_fn, asks_again_when_it_is_woken) {
  manual_executor loop;
  std::optional<waker> w;
  int polls = 0;
  auto program = [&]() -> task<int> {
    auto v = co_await poll_fn([&](const waker& x) -> std::optional<int> {
      w = x;
      if (++polls < 3) return {};
      return polls;
    });
    co_return v;
  };
  test_run run(loop, program());
  run.start();
  EXPECT_EQ(polls, 1);
  EXPECT_EQ(loop.run_until_idle(), 0u) << "nobody woke it";
  w->wake();
  EXPECT_EQ(polls, 1) << "not within wake()";
  w->wake();
  loop.run_until_idle();
  EXPECT_EQ(polls, 2) << "two wakes, one poll";
  w->wake();
  loop.run_until_idle();
  EXPECT_EQ(run.value(), 3);
  w->wake();
  EXPECT_EQ(loop.run_until_idle(), 0u) << "without effect after the end";
}

TEST(poll_fn, that_wakes_itself_lets_others_run) {
  manual_executor loop;
  bool flag = false;
  int polls = 0;
  auto waits = [&]() -> task<int> {
    co_await poll_fn([&](const waker& w) {
      if (flag) return true;
      if (++polls < 1000) w.wake();  // else it would turn for ever
      return false;
    });
    co_return polls;
  };
  world other;
  auto sets = [&]() -> task<> {
    co_await other.pass();
    flag = true;
  };
  test_run first(loop, waits());
  test_run second(loop, sets());
  second.start();
  first.start();
  EXPECT_EQ(polls, 1);
  // What is ready already comes before the next poll.
  struct counts : detail::resumable {
    counts() : resumable([](resumable* r) { ++static_cast<counts*>(r)->turns; }) {}
    int turns = 0;
  } ready_before;
  loop.schedule(ready_before, detail::urgency::queued);
  loop.step();
  EXPECT_EQ(polls, 2);
  loop.step();
  EXPECT_EQ(ready_before.turns, 1);
  loop.step();
  EXPECT_EQ(polls, 3);
  other.deliver();
  loop.run_until_idle();
  ASSERT_TRUE(first.has_ended()) << "it kept the loop to itself";
  EXPECT_LT(first.value(), 10);
}

TEST(poll_fn, that_wakes_itself_can_be_cancelled) {
  manual_executor loop;
  int polls = 0;
  auto program = [&](counted) -> task<> {
    co_await poll_fn([&](const waker& w) {
      if (++polls < 1000) w.wake();
      return false;
    });
  };
  test_run run(loop, program({}));
  run.start();
  loop.step();
  loop.step();
  EXPECT_FALSE(run.has_ended());
  run.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_LT(polls, 5);
  EXPECT_EQ(counted::live(), 0);
}

TEST(poll_fn, wakes_itself_often_without_using_up_the_stack) {
  constexpr int many = ASTD_SANITIZED ? 100'000 : 1'000'000;
  stack_probe probe;
  auto program = [&]() -> task<int> {
    int polls = 0;
    co_await poll_fn([&](const waker& w) {
      probe.mark();
      w.wake();
      return ++polls == many;
    });
    co_return polls;
  };
  EXPECT_EQ(run_to_end(program()), many);
  EXPECT_LE(probe.spread(), 64u * 1024);
}

TEST(poll_fn, passes_an_exception_on) {
  for (const int last : {1, 2}) {
    manual_executor loop;
    std::optional<waker> w;
    int polls = 0;
    auto program = [&](counted) -> task<> {
      co_await poll_fn([&](const waker& x) -> bool {
        w = x;
        if (++polls == last) throw std::runtime_error("poll");
        return false;
      });
    };
    test_run run(loop, program({}));
    run.start();
    w->wake();
    loop.run_until_idle();
    EXPECT_EQ(run.how(), ending::exception);
    EXPECT_EQ(counted::live(), 0);
  }
}

TEST(poll_fn, is_cancelled_between_two_polls) {
  manual_executor loop;
  std::optional<waker> w;
  int polls = 0;
  auto program = [&](counted) -> task<> {
    auto asks = [&, c = counted()](const waker& x) {
      w = x;
      ++polls;
      return false;
    };
    co_await poll_fn(std::move(asks));
  };
  test_run run(loop, program({}));
  run.start();
  run.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(polls, 1);
  EXPECT_EQ(counted::live(), 0);
  w->wake();
  EXPECT_EQ(loop.run_until_idle(), 0u);
}

TEST(poll_fn, that_was_woken_and_cancelled_stops) {
  manual_executor loop;
  std::optional<waker> w;
  int polls = 0;
  auto program = [&](counted) -> task<> {
    co_await poll_fn([&](const waker& x) {
      w = x;
      ++polls;
      return false;
    });
  };
  test_run run(loop, program({}));
  run.start();
  w->wake();
  run.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(polls, 1) << "a request to stop comes before another poll";
  EXPECT_EQ(counted::live(), 0);
}

TEST(poll_fn, that_cancels_itself_delivers_what_it_gives) {
  manual_executor loop;
  bool got = false;
  auto program = [&](counted) -> task<> {
    auto v = co_await poll_fn([&](const waker& w) -> std::optional<int> {
      detail::current_chain()->request_cancel();
      w.wake();
      return 1;
    });
    got = v == 1;
    co_await pending();
  };
  test_run run(loop, program({}));
  run.start();
  loop.run_until_idle();
  EXPECT_TRUE(got);
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(counted::live(), 0);
}

TEST(poll_fn, runs_in_its_chain) {
  manual_executor loop;
  std::optional<waker> w;
  std::vector<detail::chain*> seen;
  auto program = [&]() -> task<> {
    seen.push_back(detail::current_chain());
    co_await poll_fn([&](const waker& x) {
      w = x;
      seen.push_back(detail::current_chain());
      return seen.size() > 2;
    });
    seen.push_back(detail::current_chain());
  };
  test_run run(loop, program());
  run.start();
  detail::set_current_chain(nullptr);
  w->wake();
  loop.run_until_idle();
  EXPECT_EQ(seen, std::vector<detail::chain*>(4, const_cast<detail::chain*>(&run.as_chain())));
}

TEST(poll_fn, in_composites) {
  manual_executor loop;
  std::vector<waker> wakers;
  auto waits = [&](int n) -> task<int> {
    bool asked = false;
    co_await poll_fn([&](const waker& w) {
      wakers.push_back(w);
      return std::exchange(asked, true);
    });
    co_return n;
  };
  auto program = [&]() -> task<int> {
    auto both = co_await join(waits(1), waits(2));
    auto won = co_await race(waits(3), poll_fn([&](const waker& w) {
                               wakers.push_back(w);
                               return false;
                             }));
    co_return std::get<0>(both) + std::get<1>(both) + static_cast<int>(won.index());
  };
  test_run run(loop, program());
  run.start();
  while (!run.has_ended() && !wakers.empty()) {
    wakers.front().wake();
    wakers.erase(wakers.begin());
    loop.run_until_idle();
  }
  EXPECT_EQ(run.value(), 3);
  EXPECT_FALSE(wakers.empty());
}

// On a user's executor that resumes within schedule().
TEST(poll_fn, can_be_woken_where_scheduling_runs_on_the_spot) {
  struct final_executor final : detail::executor {
    void schedule(detail::resumable& r, detail::urgency) noexcept override { detail::run(r); }
  } on_the_spot;
  std::optional<waker> w;
  int polls = 0;
  auto program = [&](counted) -> task<int> {
    co_await poll_fn([&](const waker& x) {
      w = x;
      ++polls;
      if (polls == 2) x.wake();
      return polls == 4;
    });
    co_return polls;
  };
  test_run run(on_the_spot, program({}));
  run.start();
  w->wake();
  EXPECT_EQ(polls, 3);
  w->wake();
  EXPECT_EQ(run.value(), 4);
  EXPECT_EQ(counted::live(), 0);
}

TEST(poll_fn, is_woken_by_many_threads_at_once_while_it_ends_and_is_cancelled) {
  constexpr int rounds = ASTD_SANITIZED ? 300 : 1'000;
  struct place {
    std::mutex mutex;
    std::optional<waker> w;
    std::atomic<int> wakes{0};
    std::atomic<bool> over{false};
  } at;
  test::threads_executor on(2);
  auto work = [&at] {
    while (!at.over.load()) {
      std::optional<waker> mine;
      {
        std::lock_guard guard(at.mutex);
        mine = at.w;
      }
      if (mine) {
        at.wakes.fetch_add(1);
        mine->wake();
      }
    }
  };
  std::thread a(work), b(work);
  auto program = [&](int until, counted) -> task<int> {
    std::atomic<int> inside{0};
    int polls = 0;
    co_await poll_fn([&](const waker& w) {
      EXPECT_EQ(inside.fetch_add(1), 0) << "two polls at once";
      {
        std::lock_guard guard(at.mutex);
        at.w = w;
      }
      inside.fetch_sub(1);
      return ++polls >= until;
    });
    co_return polls;
  };
  int stopped = 0;
  for (int i = 0; i != rounds; ++i) {
    test_run run(on, program(i % 3 == 0 ? INT32_MAX : 3, {}));
    run.start();
    if (i % 3 != 1) run.request_cancel();
    run.wait();
    stopped += run.how() == ending::stopped;
  }
  at.over.store(true);
  a.join();
  b.join();
  EXPECT_GE(stopped, rounds / 3);
  EXPECT_EQ(counted::live(), 0);
}

}  // namespace
