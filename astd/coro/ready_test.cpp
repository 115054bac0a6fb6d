#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace {

using namespace astd;
using test::counted;
using test::ending;
using test::manual_executor;
using test::run_to_end;
using test::test_run;

const std::string named = "named";
static_assert(std::same_as<await_result_t<decltype(ready(named))>, std::string>);
static_assert(std::same_as<await_result_t<decltype(ready("literal"))>, const char*>);
static_assert(std::same_as<await_result_t<decltype(ready())>, void>);
static_assert(std::same_as<await_result_t<decltype(pending())>, void>);
static_assert(std::same_as<await_result_t<decltype(pending<std::unique_ptr<int>>())>, std::unique_ptr<int>>);

TEST(ready, gives_its_value_without_suspending) {
  auto program = []() -> task<int> {
    auto text = co_await ready(named);
    auto p = co_await ready(std::make_unique<int>(2));
    co_await ready();
    auto later = ready(std::make_unique<int>(3));
    auto moved = std::move(later);
    auto q = co_await std::move(moved);
    co_return static_cast<int>(text.size()) + *p + *q;
  };
  manual_executor loop;
  test_run run(loop, program());
  run.request_cancel();
  run.start();
  EXPECT_EQ(run.value(), 10);
  EXPECT_EQ(loop.steps(), 0u);
}

TEST(ready, can_be_referred_to_by_a_composite) {
  auto program = []() -> task<int> {
    auto now = ready(1);
    auto all = co_await join(now, ready(2));
    auto then = ready(3);
    auto won = co_await race(then, pending<int>());
    co_return std::get<0>(all) + std::get<1>(all) + won;
  };
  EXPECT_EQ(run_to_end(program()), 6);
}

TEST(pending, never_ends) {
  manual_executor loop;
  auto program = [](counted) -> task<> {
    auto p = pending<std::unique_ptr<int>>();
    auto never = co_await p;
    ADD_FAILURE() << never.get();
  };
  test_run run(loop, program({}));
  run.start();
  EXPECT_EQ(loop.run_until_idle(), 0u);
  EXPECT_FALSE(run.has_ended());
  run.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(counted::live(), 0);
}

}  // namespace
