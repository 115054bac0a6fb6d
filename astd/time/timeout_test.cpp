// timeout: the value or timed_out, and everything has ended either way.
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/shield.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/spawn_blocking.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/timeout.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using clock = steady_clock;
using test::counted;
using test::flag;
using test::for_ever;
using test::virtual_time;

task<int> after(std::chrono::nanoseconds d, int n) {
  const counted local;
  co_await this_task::sleep_for(d);
  co_return n;
}

ASTD_TEST_WITH(timeout, fires, virtual_time()) {
  const auto before = clock::now();
  const auto result = co_await as_result(timeout(2ms, for_ever()));
  EXPECT_FALSE(result.has_value());
  if (!result) EXPECT_EQ(result.error(), std::errc::timed_out);
  EXPECT_EQ(clock::now() - before, 2ms);
  EXPECT_EQ(counted::live(), 0) << "what it waited for has ended";

  const auto deadline = clock::now() + 1ms;
  const auto at = co_await as_result(timeout_at(deadline, for_ever()));
  EXPECT_FALSE(at.has_value());
  EXPECT_EQ(clock::now(), deadline);
  EXPECT_EQ(counted::live(), 0);

  const auto system = co_await as_result(timeout_at(system_clock::now() + 1ms, for_ever()));
  EXPECT_FALSE(system.has_value());
  EXPECT_EQ(clock::now() - before, 4ms);
  // Another's clock, which goes on all the while.
  const auto other = co_await as_result(timeout_at(std::chrono::system_clock::now() + 1h, for_ever()));
  EXPECT_FALSE(other.has_value());
}

ASTD_TEST_WITH(timeout, throws_timed_out, virtual_time()) {
  std::error_code code;
  try {
    co_await timeout(1ms, for_ever());
  } catch (const std::system_error& e) {
    code = e.code();
  }
  EXPECT_EQ(code, std::errc::timed_out);
}

ASTD_TEST_WITH(timeout, gives_the_value_in_time, virtual_time()) {
  const auto five = co_await timeout(1h, after(1us, 5));
  EXPECT_EQ(five, 5);
  const auto owner = co_await timeout(1h, ready(std::make_unique<int>(6)));
  EXPECT_EQ(*owner, 6);
  co_await timeout(std::chrono::hours::max(), this_task::yield());
  const auto at = co_await timeout_at(clock::time_point::max(), after(1us, 7));
  EXPECT_EQ(at, 7);
  int place = 0;
  auto reference = [](int& p) -> task<int&> {
    co_await this_task::yield();
    co_return p;
  };
  auto& same = co_await timeout(1h, reference(place));
  EXPECT_EQ(&same, &place);
}

// A value that exists beats the deadline.
ASTD_TEST(timeout, at_zero_gives_what_is_ready) {
  for (const auto limit : {0ns, -5ns, std::chrono::nanoseconds::min()}) {
    const auto one = co_await timeout(limit, ready(1));
    EXPECT_EQ(one, 1);
    auto at_once = []() -> task<int> { co_return 2; };
    const auto two = co_await timeout(limit, at_once());
    EXPECT_EQ(two, 2);
    const auto late = co_await as_result(timeout(limit, for_ever()));
    EXPECT_FALSE(late.has_value());
  }
  const auto past = co_await timeout_at(clock::now() - 1h, ready(3));
  EXPECT_EQ(past, 3);
  EXPECT_EQ(counted::live(), 0);
}

// Both had happened before anybody looked: on a thread that is busy from before the value until after the deadline.
ASTD_TEST(timeout, a_value_beats_a_deadline_however_late_it_is_looked_at) {
  auto awaits = [](join_handle<int>& h) -> task<int> {
    auto n = co_await h;
    co_return n;
  };
  auto body = [&]() -> task<> {
    for (int looked_late = 0; looked_late < 3;) {
      flag go;
      auto value = spawn_blocking([&go] {
        go.block();
        return 1;
      });
      const auto deadline = clock::now() + 5ms;
      auto limited = spawn_local([&]() -> task<bool> {
        const auto r = co_await as_result(timeout_at(deadline, awaits(value)));
        co_return r.has_value();
      });
      co_await this_task::yield();
      go.set();
      test::hold_until([&] { return value.is_finished(); });
      const bool had_time = clock::now() < deadline;  // else this machine is too busy: try again
      test::hold_until([&] { return clock::now() > deadline; });
      const auto given = co_await limited;
      if (!had_time) continue;
      EXPECT_TRUE(given);
      ++looked_late;
    }
  };
  auto here = spawn_local(body);
  co_await here;
}

ASTD_TEST_WITH(timeout, ten_around_ten_sleeps, virtual_time()) {
  auto limited = [](int i) -> task<int> {
    auto n = co_await timeout(i * 50ms, after(std::chrono::milliseconds(i), i));
    co_return n;
  };
  const auto before = clock::now();
  std::vector<task<int>> all;
  for (int i = 1; i <= 10; ++i) all.push_back(limited(i));
  const auto values = co_await join(std::move(all));
  EXPECT_EQ(values, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(clock::now() - before, 10ms);
}

ASTD_TEST_WITH(timeout, ten_that_fire_in_time_for_none, virtual_time()) {
  auto limited = [](int i) -> task<bool> {
    const auto n = co_await as_result(timeout(std::chrono::microseconds(i * 50), for_ever()));
    co_return n.has_value();
  };
  const auto before = clock::now();
  std::vector<task<bool>> all;
  for (int i = 1; i <= 10; ++i) all.push_back(limited(i));
  const auto values = co_await join(std::move(all));
  EXPECT_EQ(values, std::vector<bool>(10, false));
  EXPECT_EQ(clock::now() - before, 500us);
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST_WITH(timeout, nests, virtual_time()) {
  const auto inner = co_await as_result(timeout(1h, timeout(1ms, for_ever())));
  EXPECT_FALSE(inner.has_value());
  const auto outer = co_await as_result(timeout(1ms, timeout(1h, for_ever())));
  EXPECT_FALSE(outer.has_value());
  const auto value = co_await timeout(1h, timeout(1h, timeout(1h, after(1us, 3))));
  EXPECT_EQ(value, 3);
  // The inner one's failure is a value to the outer one.
  auto recovers = []() -> task<int> {
    const auto r = co_await as_result(timeout(100us, after(1h, 1)));
    co_return r ? *r : 9;
  };
  const auto nine = co_await timeout(1h, recovers());
  EXPECT_EQ(nine, 9);
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST(timeout, failures_and_exceptions_pass) {
  auto throws = []() -> task<int> {
    co_await this_task::yield();
    throw std::runtime_error("from inside");
  };
  const auto how = co_await test::how_it_ends(timeout(1h, throws()));
  EXPECT_EQ(how, "from inside");
  auto fails = []() -> task<int> {
    co_await this_task::yield();
    co_await fail(failure(std::make_error_code(std::errc::broken_pipe), "the pipe"));
    co_return 1;
  };
  const auto result = co_await as_result(timeout(1h, fails()));
  EXPECT_FALSE(result.has_value());
  if (!result) EXPECT_EQ(result.error(), std::errc::broken_pipe);
  auto passes_on = [&]() -> task<int> {
    auto n = co_await or_return(timeout(100us, after(1h, 1)));
    co_return n;
  };
  const auto passed = co_await as_result(passes_on());
  EXPECT_FALSE(passed.has_value());
  if (!passed) EXPECT_EQ(passed.error(), std::errc::timed_out);
}

ASTD_TEST_WITH(timeout, waits_for_what_ends_slowly, virtual_time()) {
  flag ended;
  auto cleans_up = [](flag& f) -> task<> {
    auto cleanup = [&f]() -> task<> {
      co_await this_task::sleep_for(1ms);
      f.set();
    };
    co_await finally(for_ever(), cleanup);
  };
  const auto result = co_await as_result(timeout(100us, cleans_up(ended)));
  EXPECT_FALSE(result.has_value());
  EXPECT_TRUE(ended.is_set());
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST(timeout, can_be_cancelled_at_any_moment) {
  auto body = []() -> task<> {
    const counted local;
    for (;;) {
      auto both = race(timeout(30us, for_ever()), timeout(20us, for_ever()));
      co_await as_result(std::move(both));
      co_await as_result(timeout_at(clock::now() + 10us, timeout(1h, for_ever())));
    }
  };
  for (int i = 0; i < 200; ++i) {
    auto h = spawn(body);
    co_await this_task::sleep_for(std::chrono::microseconds(i));
    const auto none = co_await h.cancel();
    EXPECT_FALSE(none.has_value());
    EXPECT_EQ(counted::live(), 0);
  }
}

}  // namespace
