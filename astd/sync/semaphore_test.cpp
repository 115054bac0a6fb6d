#include <astd/coro/as_result.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/select.hpp>
#include <astd/semaphore.hpp>
#include <astd/sync/test_support.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/timeout.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::in_order;
using test::one_worker;
using test::settle;

constinit astd::binary_semaphore global_semaphore(1, "global");

static_assert(counting_semaphore<7>::max() == 7);
static_assert(binary_semaphore::max() == 1);
static_assert(counting_semaphore<>::max() > 1'000'000'000'000);
static_assert(!std::is_move_constructible_v<counting_semaphore<>>);
static_assert(std::is_nothrow_move_constructible_v<semaphore_permit>);

ASTD_TEST(semaphore, gives_what_it_has) {
  counting_semaphore<> s(3);
  co_await s.acquire();
  EXPECT_EQ(s.available(), 2);
  co_await s.acquire(2);
  EXPECT_EQ(s.available(), 0);
  EXPECT_FALSE(s.try_acquire());
  EXPECT_TRUE(s.try_acquire(0));
  s.release(3);
  EXPECT_TRUE(s.try_acquire(3));
  EXPECT_FALSE(s.try_acquire_permit().has_value());
  s.release(3);
}

ASTD_TEST(semaphore, binary_is_a_lock) {
  {
    auto permit = co_await global_semaphore.acquire_permit();
    EXPECT_EQ(permit.count(), 1);
    EXPECT_EQ(global_semaphore.available(), 0);
  }
  EXPECT_EQ(global_semaphore.available(), 1);
}

ASTD_TEST(semaphore, permits_come_back_once) {
  counting_semaphore<> s(5);
  {
    auto all = co_await s.acquire_permit(5);
    auto some = all.split(2);
    EXPECT_EQ(all.count(), 3);
    some.release();
    some.release();
    EXPECT_EQ(s.available(), 2);
    auto moved = std::move(all);
    EXPECT_EQ(all.count(), 0);  // NOLINT: what a moved-from permit is, is specified
    all = std::move(moved);
    auto more = s.try_acquire_permit();
    EXPECT_TRUE(more.has_value());
    all.merge(std::move(*more));
    EXPECT_EQ(all.count(), 4);
    EXPECT_EQ(s.available(), 1);
    EXPECT_EQ(all.split(1).forget(), 1);
  }
  EXPECT_EQ(s.available(), 4);
  EXPECT_EQ(s.forget(3), 3);
  EXPECT_EQ(s.forget(3), 1);
  EXPECT_EQ(s.forget(-1), 0);
  EXPECT_EQ(s.available(), 0);
}

task<> takes(counting_semaphore<>& s, std::ptrdiff_t n, std::vector<int>& order, int number) {
  co_await s.acquire(n);
  order.push_back(number);
}

// A large request at the front is not starved, and what comes back is kept for it.
ASTD_TEST_WITH(semaphore, is_served_in_the_order_of_arrival, one_worker()) {
  counting_semaphore<> s(0);
  std::vector<int> order;
  in_order tasks;
  co_await tasks.spawn(&takes, std::ref(s), 3, std::ref(order), 0);
  co_await tasks.spawn(&takes, std::ref(s), 1, std::ref(order), 1);
  co_await tasks.spawn(&takes, std::ref(s), 2, std::ref(order), 2);
  s.release(2);
  co_await settle();
  EXPECT_TRUE(order.empty());
  EXPECT_EQ(s.available(), 2);
  EXPECT_FALSE(s.try_acquire());
  s.release(2);
  co_await settle();
  EXPECT_EQ(order, (std::vector{0, 1}));
  s.release(2);
  co_await tasks.join();
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
  EXPECT_EQ(s.available(), 0);
}

// Those behind a large request that is cancelled get what has been there all the time.
ASTD_TEST_WITH(semaphore, a_cancelled_waiter_lets_those_behind_it_pass, one_worker()) {
  counting_semaphore<> s(2);
  std::vector<int> order;
  in_order tasks;
  co_await tasks.spawn(&takes, std::ref(s), 3, std::ref(order), 0);
  co_await tasks.spawn(&takes, std::ref(s), 1, std::ref(order), 1);
  co_await tasks.spawn(&takes, std::ref(s), 1, std::ref(order), 2);
  EXPECT_TRUE(order.empty());
  co_await tasks.cancel(0);
  co_await settle();
  EXPECT_THAT(order, testing::UnorderedElementsAre(1, 2));
  EXPECT_EQ(s.available(), 0);
}

// Given and cancelled at once: the permit is given back.
ASTD_TEST(semaphore, what_was_given_to_a_cancelled_task_comes_back) {
  for (int round = 0; round < 300; ++round) {
    counting_semaphore<> s(0);
    auto holds = [](counting_semaphore<>& on) -> task<> {
      auto permit = co_await on.acquire_permit(2);
      co_await pending();
    };
    auto first = spawn(holds, std::ref(s));
    for (int i = 0; i < round % 4; ++i) co_await this_task::yield();
    s.release(2);
    const auto ended = co_await first.cancel();
    static_cast<void>(ended);
    EXPECT_EQ(s.available(), 2);
  }
}

ASTD_TEST_WITH(semaphore, closing_it_ends_all_waits, one_worker()) {
  counting_semaphore<> s(1, "doors");
  auto waits = [](counting_semaphore<>& on, int& refused) -> task<> {
    const auto r = co_await as_result(on.acquire(2));
    if (!r && r.error() == std::errc::broken_pipe) ++refused;
  };
  int refused = 0;
  auto held = co_await s.acquire_permit();
  in_order tasks;
  for (int i = 0; i < 3; ++i) co_await tasks.spawn(waits, std::ref(s), std::ref(refused));
  EXPECT_FALSE(s.is_closed());
  s.close();
  s.close();
  EXPECT_TRUE(s.is_closed());
  co_await tasks.join();
  EXPECT_EQ(refused, 3);
  // What comes back, or is forgotten, does not open it again.
  held.release();
  EXPECT_EQ(s.available(), 1);
  EXPECT_EQ(s.forget(1), 1);
  s.release(2);
  EXPECT_TRUE(s.is_closed());
  EXPECT_FALSE(s.try_acquire());
  EXPECT_FALSE(s.try_acquire_permit().has_value());
  const auto end = co_await test::how_it_ends(s.acquire_permit());
  EXPECT_EQ(end, "acquire of a closed semaphore doors: Broken pipe");
  const auto timed = co_await as_result(s.try_acquire_for(1s));
  EXPECT_EQ(timed.error(), std::errc::broken_pipe);
}

ASTD_TEST_WITH(semaphore, waits_for_a_while, one_worker()) {
  counting_semaphore<> s(1);
  const auto begin = astd::steady_clock::now();
  auto got = co_await s.try_acquire_for(0s);
  EXPECT_TRUE(got);
  got = co_await s.try_acquire_for(3s);
  EXPECT_FALSE(got);
  EXPECT_EQ(astd::steady_clock::now() - begin, 3s);
  auto releases = [](counting_semaphore<>& on) -> task<> {
    co_await this_task::sleep_for(1s);
    on.release();
  };
  auto h = spawn(releases, std::ref(s));
  got = co_await s.try_acquire_until(begin + 10s);
  EXPECT_TRUE(got);
  EXPECT_EQ(astd::steady_clock::now() - begin, 4s);
  co_await h;
  EXPECT_EQ(s.available(), 0);
}

ASTD_TEST(semaphore, select_and_race_lose_no_permit) {
  counting_semaphore<> a(1), b(1);
  {
    auto both = co_await select(a.acquire_permit(), b.acquire_permit());
    EXPECT_EQ(std::get<0>(both).has_value(), a.available() == 0);
    EXPECT_EQ(std::get<1>(both).has_value(), b.available() == 0);
  }
  {
    auto one = co_await race(a.acquire_permit(), b.acquire_permit());
    EXPECT_EQ(a.available() + b.available(), 1);
  }
  EXPECT_EQ(a.available() + b.available(), 2);
}

TEST(semaphore, plain_threads_use_it_without_a_runtime) {
  counting_semaphore<> s(2);
  std::atomic<int> inside = 0, most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int n = 0; n < 1000; ++n) {
        auto permit = i % 2 == 0 ? s.acquire_permit_blocking() : [&] {
          while (!s.try_acquire_for_blocking(1h)) {
          }
          s.release();
          return s.acquire_permit_blocking();
        }();
        const int now = ++inside;
        int before = most;
        while (now > before && !most.compare_exchange_weak(before, now)) {
        }
        --inside;
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_LE(most, 2);
  EXPECT_EQ(s.available(), 2);
  s.acquire_blocking(2);
  EXPECT_FALSE(s.try_acquire_for_blocking(1ms));
  EXPECT_FALSE(s.try_acquire_until_blocking(std::chrono::system_clock::now() + 1ms));
  s.release(2);
}

ASTD_TEST(semaphore, a_dump_says_who_waits_for_how_many) {
  counting_semaphore<> s(1, "seats");
  runtime rt({.workers = 1});
  auto waits = [](counting_semaphore<>& on) -> task<> { co_await on.acquire(3); };
  auto h = rt.spawn(waits, std::ref(s));
  test::wait_for_dump(rt, {"waits in acquire of semaphore 'seats', 3 wanted, 1 free"});
  const auto ended = co_await h.cancel();
  EXPECT_FALSE(ended.has_value());
}

}  // namespace
