#include <astd/condition_variable.hpp>
#include <astd/sync/test_support.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/clock.hpp>
#include <astd/timed_mutex.hpp>

#include <chrono>
#include <thread>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::one_worker;

ASTD_TEST_WITH(timed_mutex, gives_up_when_the_time_has_gone_by, one_worker()) {
  astd::timed_mutex m;
  const auto begin = astd::steady_clock::now();
  auto guard = co_await m.try_lock_for(0s);
  EXPECT_TRUE(guard.has_value());
  auto none = co_await m.try_lock_for(2s);
  EXPECT_FALSE(none.has_value());
  EXPECT_EQ(astd::steady_clock::now() - begin, 2s);
  none = co_await m.try_lock_until(begin + 1s);
  EXPECT_FALSE(none.has_value());
  EXPECT_EQ(astd::steady_clock::now() - begin, 2s);
  auto unlocks = [](std::optional<mutex_guard> held) -> task<> {
    co_await this_task::sleep_for(1s);
    held.reset();
  };
  auto h = spawn(unlocks, std::move(guard));
  auto again = co_await m.try_lock_until(begin + 1h);
  EXPECT_TRUE(again.has_value());
  EXPECT_EQ(astd::steady_clock::now() - begin, 3s);
  co_await h;
  // It is a mutex in all else.
  condition_variable cv;
  const auto status = co_await cv.wait_for(*again, 1s);
  EXPECT_EQ(status, cv_status::timeout);
  EXPECT_FALSE(m.try_lock().has_value());
}

ASTD_TEST_WITH(timed_mutex, a_wait_that_was_given_up_takes_no_lock, one_worker()) {
  astd::timed_mutex m;
  for (int i = 0; i < 100; ++i) {
    auto guard = co_await m.lock();
    auto waits = [](astd::timed_mutex& on, std::chrono::nanoseconds d) -> task<bool> {
      auto g = co_await on.try_lock_for(d);
      co_return g.has_value();
    };
    auto h = spawn(waits, std::ref(m), std::chrono::nanoseconds(i % 3));
    co_await this_task::sleep_for(1ns);
    guard.unlock();
    co_await h;
    EXPECT_TRUE(m.try_lock().has_value());
  }
}

TEST(timed_mutex, plain_threads_use_it_without_a_runtime) {
  astd::timed_mutex m;
  auto guard = m.lock_blocking();
  EXPECT_FALSE(m.try_lock_for_blocking(1ms).has_value());
  EXPECT_FALSE(m.try_lock_until_blocking(std::chrono::system_clock::now() + 1ms).has_value());
  std::thread other([&] { EXPECT_TRUE(m.try_lock_for_blocking(1h).has_value()); });
  std::this_thread::yield();
  guard.unlock();
  other.join();
  EXPECT_TRUE(m.try_lock_for_blocking(0s).has_value());
}

// The thread of a call waits by the clock of its runtime, which goes on meanwhile.
ASTD_TEST_WITH(timed_mutex, a_blocking_call_waits_in_virtual_time, test::virtual_time()) {
  astd::timed_mutex m;
  auto guard = co_await m.lock();
  auto too_short = spawn_blocking([&m] { return m.try_lock_for_blocking(1h).has_value(); });
  const bool had = co_await too_short;
  EXPECT_FALSE(had);
  auto long_enough = spawn_blocking([&m] { return m.try_lock_for_blocking(1h).has_value(); });
  auto patient = spawn_blocking([&m] { return m.lock_blocking().owns_lock(); });
  co_await this_task::sleep_for(30min);
  guard.unlock();
  const bool had_then = co_await long_enough;
  const bool had_too = co_await patient;
  EXPECT_TRUE(had_then && had_too);
}

}  // namespace
