#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/select.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/sync/mutex.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::flag;

constinit astd::mutex global_mutex("global");

static_assert(!std::is_copy_constructible_v<astd::mutex> && !std::is_move_constructible_v<astd::mutex>);
static_assert(std::is_nothrow_move_constructible_v<mutex_guard> && !std::is_copy_constructible_v<mutex_guard>);

bool is_free(astd::mutex& m) { return m.try_lock().has_value(); }

ASTD_TEST(mutex, is_locked_and_unlocked) {
  for (int i = 0; i < 3; ++i) {
    auto guard = co_await global_mutex.lock();
    EXPECT_TRUE(guard.owns_lock());
    EXPECT_EQ(guard.mutex(), &global_mutex);
    EXPECT_FALSE(is_free(global_mutex));
  }
  EXPECT_TRUE(is_free(global_mutex));
}

ASTD_TEST(mutex, a_guard_can_be_moved_and_given_up) {
  astd::mutex m;
  auto first = co_await m.lock();
  auto second = std::move(first);
  EXPECT_FALSE(first.owns_lock());  // NOLINT: what a moved-from guard is, is specified
  EXPECT_TRUE(second.owns_lock());
  second.unlock();
  EXPECT_FALSE(second);
  second.unlock();
  EXPECT_TRUE(is_free(m));

  auto third = m.try_lock();
  EXPECT_TRUE(third.has_value());
  EXPECT_FALSE(m.try_lock().has_value());
  astd::mutex* const held = third->release();
  EXPECT_EQ(held, &m);
  third.reset();
  EXPECT_FALSE(is_free(m));
  const mutex_guard taken_over(*held);
  mutex_guard none;
  EXPECT_EQ(none.mutex(), nullptr);
  EXPECT_FALSE(is_free(m));
}

ASTD_TEST(mutex, assigning_a_guard_unlocks_what_it_held) {
  astd::mutex a, b;
  auto guard = co_await a.lock();
  guard = co_await b.lock();
  EXPECT_TRUE(is_free(a));
  EXPECT_FALSE(is_free(b));
}

ASTD_TEST(mutex, an_exception_unlocks_it) {
  astd::mutex m;
  auto fails = [](astd::mutex& held) -> task<> {
    auto guard = co_await held.lock();
    throw std::runtime_error("on purpose");
  };
  bool caught = false;
  try {
    co_await fails(m);
  } catch (const std::runtime_error&) {
    caught = true;
  }
  EXPECT_TRUE(caught);
  EXPECT_TRUE(is_free(m));
}

task<> add(astd::mutex& m, int& sum, int times, bool yields) {
  for (int i = 0; i < times; ++i) {
    auto guard = co_await m.lock();
    const int before = sum;
    if (yields) co_await this_task::yield();
    sum = before + 1;
  }
}

ASTD_TEST(mutex, only_one_has_it) {
  astd::mutex m;
  for (const bool yields : {false, true}) {
    int sum = 0;
    std::vector<join_handle<>> all;
    for (int i = 0; i < 100; ++i) all.push_back(spawn(add(m, sum, 100, yields)));
    for (auto& h : all) co_await h;
    EXPECT_EQ(sum, 100 * 100);
  }
}

ASTD_TEST(mutex, is_given_in_the_order_of_arrival) {
  astd::mutex m;
  std::vector<int> order;
  auto waits = [](astd::mutex& on, std::vector<int>& into, int i) -> task<> {
    auto guard = co_await on.lock();
    into.push_back(i);
    co_await this_task::yield();
  };
  runtime rt({.workers = 0});
  auto all = [&]() -> task<> {
    auto guard = co_await m.lock();
    std::vector<join_handle<>> waiting;
    for (int i = 0; i < 10; ++i) {
      waiting.push_back(spawn_local(waits(m, order, i)));
      co_await this_task::yield();
    }
    guard.unlock();
    // It has been handed on: nobody who comes later overtakes.
    EXPECT_FALSE(m.try_lock().has_value());
    {
      auto again = co_await m.lock();
      EXPECT_EQ(order.size(), 10u);
    }
    for (auto& h : waiting) co_await h;
  };
  co_await spawn_blocking([&] { rt.block_on(all()); });
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

ASTD_TEST(mutex, a_cancelled_waiter_leaves_the_line) {
  astd::mutex m;
  std::optional<mutex_guard> guard = m.try_lock();
  std::vector<join_handle<>> waiting;
  int sum = 0;
  for (int i = 0; i < 5; ++i) waiting.push_back(spawn(add(m, sum, 1, false)));
  co_await this_task::sleep_for(1ms);
  for (const std::size_t i : {0, 2, 4}) {
    const bool ended = (co_await waiting[i].cancel()).has_value();
    EXPECT_FALSE(ended);
  }
  guard.reset();
  co_await waiting[1];
  co_await waiting[3];
  EXPECT_EQ(sum, 2);
  EXPECT_TRUE(is_free(m));
}

// Chosen and cancelled at once: the lock goes on to the next.
ASTD_TEST(mutex, what_was_handed_to_a_cancelled_task_is_passed_on) {
  for (int round = 0; round < 300; ++round) {
    astd::mutex m;
    std::optional<mutex_guard> guard = m.try_lock();
    int sum = 0;
    auto first = spawn(add(m, sum, 1, true));
    auto second = spawn(add(m, sum, 1, true));
    for (int i = 0; i < round % 4; ++i) co_await this_task::yield();
    guard.reset();
    first.request_cancel();
    const auto ended = co_await first.cancel();
    static_cast<void>(ended);
    co_await second;
    EXPECT_GE(sum, 1);
    EXPECT_TRUE(is_free(m));
  }
}

ASTD_TEST(mutex, waits_no_longer_than_the_time_limit) {
  astd::mutex m;
  auto guard = co_await m.lock();
  const auto r = co_await as_result(timeout(2ms, m.lock()));
  EXPECT_FALSE(r.has_value());
  EXPECT_EQ(r.error(), std::errc::timed_out);
  guard.unlock();
  EXPECT_TRUE(is_free(m));
  // A lock that is free beats a limit of nothing.
  const auto taken = co_await as_result(timeout(0ms, m.lock()));
  EXPECT_TRUE(taken.has_value());
  EXPECT_FALSE(is_free(m));
}

ASTD_TEST(mutex, select_loses_no_lock) {
  astd::mutex a, b;
  {
    auto both = co_await select(a.lock(), b.lock());
    EXPECT_TRUE(std::get<0>(both).has_value());
    EXPECT_EQ(std::get<1>(both).has_value(), !is_free(b));
  }
  EXPECT_TRUE(is_free(a));
  EXPECT_TRUE(is_free(b));
  {
    auto first = co_await race(a.lock(), b.lock());
    EXPECT_TRUE(first.owns_lock());
    EXPECT_NE(is_free(a), is_free(b));
  }
  EXPECT_TRUE(is_free(a));
}

ASTD_TEST(mutex, can_be_destroyed_by_the_last_who_had_it) {
  for (int round = 0; round < 2000; ++round) {
    auto m = std::make_unique<astd::mutex>();
    auto guard = co_await m->lock();
    auto ends = [](std::unique_ptr<astd::mutex> owned, flag& began) -> task<> {
      began.set();
      {
        auto g = co_await owned->lock();
      }
      owned.reset();
    };
    flag began;
    astd::mutex& shared = *m;
    auto h = spawn(ends, std::move(m), std::ref(began));
    co_await began.wait();
    EXPECT_EQ(guard.mutex(), &shared);
    guard.unlock();
    co_await h;
  }
}

TEST(mutex, plain_threads_lock_it_without_a_runtime) {
  astd::mutex m;
  int sum = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 2000; ++n) {
        auto guard = m.lock_blocking();
        ++sum;
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(sum, 4 * 2000);
}

ASTD_TEST(mutex, threads_and_tasks_share_it) {
  astd::mutex m;
  int sum = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) {
        auto guard = m.lock_blocking();
        ++sum;
      }
    });
  std::vector<join_handle<>> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(spawn(add(m, sum, 1000, i % 2 == 0)));
  // In a task it works, too.
  for (int n = 0; n < 10; ++n) {
    auto guard = m.lock_blocking();
    ++sum;
  }
  for (auto& h : tasks) co_await h;
  co_await spawn_blocking([&] {
    for (std::thread& t : threads) t.join();
  });
  EXPECT_EQ(sum, 2 * 1000 + 4 * 1000 + 10);
}

ASTD_TEST(mutex, a_dump_says_who_waits_for_what_and_who_has_it) {
  astd::mutex named("names"), nameless;
  runtime rt({.workers = 1});
  flag began;
  auto holds = [](astd::mutex& a, astd::mutex& b, flag& f) -> task<> {
    auto first = co_await a.lock();
    auto second = co_await b.lock();
    f.set();
    co_await pending();
  };
  auto waits = [](astd::mutex& on) -> task<> { auto guard = co_await on.lock(); };
  auto holder = rt.spawn(holds, std::ref(named), std::ref(nameless), std::ref(began));
  co_await began.wait();
  auto one = rt.spawn(waits(named));
  auto other = rt.spawn(waits(nameless));
  const std::string id = std::to_string(holder.id());
  std::string dump;
  const std::string first = "waits in lock of mutex 'names', held by task " + id;
  const std::string second = "waits in lock of mutex, held by task " + id;
  test::wait_until([&] {
    dump = rt.dump_tasks();
    return dump.find(first) != std::string::npos && dump.find(second) != std::string::npos;
  });
  for (auto* h : {&holder, &one, &other}) {
    const auto ended = co_await h->cancel();
    static_cast<void>(ended);
  }
}

}  // namespace
