#include <astd/base/assert.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/locked.hpp>
#include <astd/mutex.hpp>
#include <astd/shared_mutex.hpp>
#include <astd/sync/test_support.hpp>
#include <astd/time/timeout.hpp>
#include <astd/timed_mutex.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::in_order;
using test::one_worker;
using test::settle;

ASTD_TEST(lock, of_several_kinds) {
  astd::mutex a;
  astd::timed_mutex b;
  astd::shared_mutex c;
  locked<int> d(4);
  {
    auto guards = co_await astd::lock(a, b, c, d);
    EXPECT_EQ(*std::get<3>(guards), 4);
    EXPECT_FALSE(a.try_lock() || b.try_lock() || c.try_lock_shared() || d.try_lock());
    EXPECT_FALSE(astd::try_lock(a, b));
    std::get<1>(guards).unlock();
    EXPECT_TRUE(b.try_lock());
  }
  EXPECT_TRUE(astd::try_lock(a, b, c, d));
  auto held = co_await c.lock_shared();
  EXPECT_FALSE(astd::try_lock(a, b, c, d));
  EXPECT_TRUE(a.try_lock() && b.try_lock() && d.try_lock());
}

// While it waits it holds nothing, so who holds what it waits for may take the others.
ASTD_TEST_WITH(lock, holds_nothing_while_it_waits, one_worker()) {
  astd::mutex a, b, c;
  auto in_the_way = co_await b.lock();
  in_order tasks;
  co_await tasks.spawn(
      [](astd::mutex& x, astd::mutex& y, astd::mutex& z) -> task<> {
        auto guards = co_await astd::lock(x, y, z);
        EXPECT_FALSE(x.try_lock() || y.try_lock() || z.try_lock());
      },
      std::ref(a), std::ref(b), std::ref(c));
  auto first = a.try_lock();
  EXPECT_TRUE(first);
  EXPECT_TRUE(c.try_lock());
  in_the_way.unlock();
  co_await settle();  // it waits for the first then
  EXPECT_TRUE(b.try_lock());
  first.reset();
  co_await tasks.join();
}

ASTD_TEST_WITH(lock, that_is_cancelled_holds_nothing, one_worker()) {
  astd::mutex a, b;
  auto in_the_way = co_await b.lock();
  const auto late = co_await as_result(timeout(1ms, astd::lock(a, b)));
  EXPECT_FALSE(late.has_value());
  EXPECT_TRUE(a.try_lock());
  in_the_way.unlock();
  EXPECT_TRUE(astd::try_lock(a, b));
}

// Each takes two neighbours, in whatever order comes: nobody waits for ever.
ASTD_TEST(lock, philosophers) {
  constexpr std::size_t many = 5;
  std::array<locked<long>, many> forks;
  auto eats = [](locked<long>& left, locked<long>& right, int times) -> task<> {
    for (int i = 0; i < times; ++i) {
      auto both = co_await astd::lock(left, right);
      ++*std::get<0>(both);
      ++*std::get<1>(both);
      if (i % 16 == 0) co_await this_task::yield();
    }
  };
  std::vector<join_handle<>> table;
  for (std::size_t i = 0; i < many; ++i)
    table.push_back(spawn(eats, std::ref(forks[i]), std::ref(forks[(i + 1) % many]), 500));
  std::thread plain([&] {
    for (int i = 0; i < 100; ++i) {
      auto both = astd::lock_blocking(forks[3], forks[1]);
      ++*std::get<0>(both);
    }
  });
  for (auto& h : table) co_await h;
  plain.join();
  long sum = 0;
  for (auto& f : forks) sum += f.unguarded();
  EXPECT_EQ(sum, long(many) * 500 * 2 + 100);
}

ASTD_TEST(lock, of_a_guard_again) {
  astd::mutex m;
  auto guard = co_await m.lock();
  guard.unlock();
  EXPECT_EQ(guard.mutex(), &m);
  EXPECT_FALSE(guard.owns_lock());
  EXPECT_TRUE(m.try_lock());
  co_await guard.lock();
  EXPECT_TRUE(guard.owns_lock());
  EXPECT_FALSE(m.try_lock());
  guard.unlock();
  EXPECT_TRUE(guard.try_lock());
  guard.unlock();
  guard.lock_blocking();
  mutex_guard none;
  swap(guard, none);
  EXPECT_FALSE(guard.owns_lock());
  EXPECT_EQ(none.release(), &m);
  EXPECT_EQ(none.mutex(), nullptr);
  mutex_guard(m).unlock();

  locked<int> value(1);
  auto with = co_await value.lock();
  with.unlock();
  EXPECT_TRUE(value.try_lock());
  co_await with.lock();
  ++*with;
  EXPECT_EQ(*with, 2);

  astd::shared_mutex s;
  auto reading = co_await s.lock_shared();
  reading.unlock();
  auto writing = co_await s.lock();
  EXPECT_FALSE(reading.try_lock());
  writing.unlock();
  co_await reading.lock();
  EXPECT_FALSE(writing.try_lock());
  EXPECT_TRUE(s.try_lock_shared());
}

// Cancelled while it waits, a guard holds nothing.
ASTD_TEST_WITH(lock, of_a_guard_that_gives_up, one_worker()) {
  astd::mutex m;
  auto guard = co_await m.lock();
  guard.unlock();
  auto other = co_await m.lock();
  const auto late = co_await as_result(timeout(1ms, guard.lock()));
  EXPECT_FALSE(late.has_value());
  EXPECT_FALSE(guard.owns_lock());
  other.unlock();
  co_await guard.lock();
  EXPECT_TRUE(guard.owns_lock());
}

#if ASTD_ASSERTIONS
TEST(lock_several, the_same_twice_is_caught) {
  EXPECT_DEATH(
      {
        mutex m;
        static_cast<void>(lock_blocking(m, m));
      },
      "locked twice");
}
#endif

}  // namespace
