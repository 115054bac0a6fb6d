// Neither a long run of awaits nor a deep nest of them uses up the stack, however they end and whatever the compiler
// makes of a symmetric transfer.
#include <astd/base/config.hpp>
#include <astd/base/frame_pool.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/poll_fn.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <system_error>

namespace {

using namespace astd;
using test::counted;
using test::ending;
using test::manual_executor;
using test::run_to_end;
using test::stack_probe;
using test::test_run;

constexpr long many_awaits = ASTD_SANITIZED ? 1'000'000 : 10'000'000;
constexpr long many_levels = ASTD_SANITIZED ? 100'000 : 1'000'000;
constexpr std::size_t enough_stack = 64 * 1024;

// Checks that the stack stayed flat, and that no frame is left.
class stack : public testing::Test {
 protected:
  void TearDown() override {
    EXPECT_GT(probe.marks(), 0);
    EXPECT_LE(probe.spread(), enough_stack);
    EXPECT_EQ(counted::live(), 0);
    if (detail::frames_are_pooled) {
      EXPECT_EQ(detail::frame_pool_usage().in_use, before_.in_use);
    }
  }
  stack_probe probe;

 private:
  detail::frame_pool_stats before_ = detail::frame_pool_usage();
};

task<long> one(stack_probe& probe, long n) {
  probe.mark();
  co_return n;
}

TEST_F(stack, of_a_long_run_of_tasks) {
  auto program = [](stack_probe& p) -> task<long> {
    long sum = 0;
    for (long i = 0; i != many_awaits; ++i) {
      auto v = co_await one(p, 1);
      sum += v;
    }
    co_return sum;
  };
  EXPECT_EQ(run_to_end(program(probe)), many_awaits);
}

TEST_F(stack, of_a_long_run_of_what_is_ready) {
  auto program = [](stack_probe& p) -> task<long> {
    long sum = 0;
    for (long i = 0; i != many_awaits; ++i) {
      auto v = co_await ready(1);
      sum += v;
      if (i % 1024 == 0) p.mark();
    }
    co_return sum;
  };
  EXPECT_EQ(run_to_end(program(probe)), many_awaits);
}

TEST_F(stack, of_a_long_run_of_races_and_failures) {
  auto fails = [](stack_probe& p) -> task<long> {
    p.mark();
    co_await fail(std::errc::timed_out);
    co_return 0;
  };
  auto program = [&](stack_probe& p) -> task<long> {
    long sum = 0;
    for (long i = 0; i != many_awaits / 10; ++i) {
      auto v = co_await race(one(p, 1), one(p, 2));
      auto r = co_await as_result(fails(p));
      sum += v + r.has_value();
    }
    co_return sum;
  };
  EXPECT_EQ(run_to_end(program(probe)), many_awaits / 10);
}

task<long> down_and_up(stack_probe& probe, long n) {
  counted c;
  probe.mark();
  if (n == 0) co_return 0;
  auto v = co_await down_and_up(probe, n - 1);
  probe.mark();
  co_return v + 1;
}

TEST_F(stack, of_a_deep_nest) { EXPECT_EQ(run_to_end(down_and_up(probe, many_levels)), many_levels); }

TEST_F(stack, of_a_deep_nest_of_results) {
  struct nest {
    static task<long> of(stack_probe& p, long n) {
      p.mark();
      if (n == 0) co_return 0;
      auto v = co_await as_result(of(p, n - 1));
      auto w = co_await or_return(one(p, *v));
      co_return w + 1;
    }
  };
  EXPECT_EQ(run_to_end(nest::of(probe, many_levels)), many_levels);
}

task<long> throws(stack_probe& probe, long n) {
  counted c;
  probe.mark();
  if (n == 0) throw 42;
  auto v = co_await throws(probe, n - 1);
  co_return v + 1;
}

TEST_F(stack, of_an_exception_through_a_deep_nest) {
  try {
    run_to_end(throws(probe, many_levels));
    ADD_FAILURE();
  } catch (int e) {
    EXPECT_EQ(e, 42);
  }
}

task<long> fails(stack_probe& probe, long n) {
  counted c;
  probe.mark();
  if (n == 0) co_await fail(std::errc::timed_out);
  auto v = co_await or_return(fails(probe, n - 1));
  co_return v + 1;
}

TEST_F(stack, of_a_failure_through_a_deep_nest) {
  auto program = [](stack_probe& p) -> task<std::error_code> {
    auto r = co_await as_result(fails(p, many_levels));
    co_return r.error();
  };
  EXPECT_EQ(run_to_end(program(probe)), std::errc::timed_out);
}

// Destructors tell where they run.
struct marks_at_the_end {
  explicit marks_at_the_end(stack_probe& p) noexcept : probe(p) {}
  ~marks_at_the_end() { probe.mark(); }
  stack_probe& probe;
};

task<long> waits(stack_probe& probe, long n) {
  counted c;
  marks_at_the_end m(probe);
  probe.mark();
  if (n == 0) {
    co_await pending();
    co_return 0;
  }
  if (n % 2) {
    auto v = co_await or_return(waits(probe, n - 1));
    co_return v + 1;
  }
  auto v = co_await waits(probe, n - 1);
  co_return v + 1;
}

TEST_F(stack, of_stopping_a_deep_nest) {
  manual_executor loop;
  test_run run(loop, waits(probe, many_levels));
  run.start();
  EXPECT_EQ(loop.run_until_idle(), 0u);
  EXPECT_EQ(counted::live(), many_levels + 1);
  EXPECT_FALSE(run.has_ended());
  run.request_cancel();
  EXPECT_EQ(loop.run_until_idle(), 1u);
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(probe.marks(), 2 * (many_levels + 1));
}

TEST_F(stack, of_a_nest_that_is_resumed_at_its_bottom) {
  std::optional<waker> w;
  bool go_on = false;
  struct nest {
    static task<long> of(stack_probe& p, std::optional<waker>& waiting, bool& on, long n) {
      p.mark();
      if (n == 0) {
        co_await poll_fn([&](const waker& x) {
          waiting = x;
          return on;
        });
        co_return 0;
      }
      auto v = co_await of(p, waiting, on, n - 1);
      p.mark();
      co_return v + 1;
    }
  };
  manual_executor loop;
  test_run run(loop, nest::of(probe, w, go_on, many_levels));
  run.start();
  ASSERT_TRUE(w);
  go_on = true;
  w->wake();
  loop.run_until_idle();
  EXPECT_EQ(run.value(), many_levels);
}

task<> nested_races(stack_probe& probe, long n) {
  const counted local;
  if (n == 0) {
    co_await pending();
    co_return;
  }
  co_await race(nested_races(probe, n - 1), pending());
  probe.mark();
}

// Each level is a cancel scope of its own, which passes the request on to the next.
TEST_F(stack, of_stopping_a_deep_nest_of_scopes) {
  constexpr long levels = many_levels / 10;
  manual_executor loop;
  test_run run(loop, nested_races(probe, levels));
  run.start();
  loop.run_until_idle();
  EXPECT_EQ(counted::live(), levels + 1);
  probe.mark();
  run.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
}

}  // namespace
