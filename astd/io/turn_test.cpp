#include <astd/coro/test_loop.hpp>
#include <astd/io/turn.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

namespace astd::io::detail {
namespace {

task<> note(turn& t, std::vector<int>& order, int who) {
  const auto mine = co_await t.wait();
  order.push_back(who);
}

// The loop of the tests leaves the thread with a chain that is gone: later tests of this process spawn.
struct chain_reset {
  ~chain_reset() { astd::detail::set_current_chain(nullptr); }
};

TEST(turn, comes_in_the_order_of_waiting_and_passes_over_who_is_cancelled) {
  chain_reset at_end;
  turn t;
  std::vector<int> order;
  test::manual_executor loop;
  auto mine = std::make_optional(test::run_to_end(t.wait()));
  test::test_run first(loop, note(t, order, 1));
  test::test_run second(loop, note(t, order, 2));
  test::test_run third(loop, note(t, order, 3));
  test::test_run fourth(loop, note(t, order, 4));
  for (auto* run : {&first, &second, &third, &fourth}) run->start();
  loop.run_until_idle();
  EXPECT_TRUE(order.empty());
  second.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(second.how(), test::ending::stopped);
  mine.reset();
  loop.run_until_idle();
  EXPECT_EQ(order, (std::vector{1, 3, 4}));
}

TEST(turn, passes_on_what_a_cancelled_task_was_given_before) {
  chain_reset at_end;
  turn t;
  std::vector<int> order;
  test::manual_executor loop;
  auto mine = std::make_optional(test::run_to_end(t.wait()));
  test::test_run first(loop, note(t, order, 1));
  test::test_run second(loop, note(t, order, 2));
  first.start();
  second.start();
  mine.reset();  // it is the first one's turn, which has not run yet
  first.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(order, (std::vector{1, 2}));
  EXPECT_EQ(first.how(), test::ending::value) << "what came first is delivered";
}

task<> hold_a_while(turn& t, int& inside, int& worst, std::size_t& served) {
  for (int i = 0; i < 50; ++i) {
    const auto mine = co_await t.wait();
    worst = std::max(worst, ++inside);
    co_await this_task::yield();
    --inside;
    ++served;
  }
}

ASTD_TEST(turn, lets_in_one_at_a_time_and_forgets_nobody) {
  turn t;
  int inside = 0;
  int worst = 0;
  std::size_t served = 0;
  std::vector<join_handle<>> tasks;
  for (int i = 0; i < 8; ++i)
    tasks.push_back(spawn(hold_a_while, std::ref(t), std::ref(inside), std::ref(worst), std::ref(served)));
  for (auto& task : tasks) co_await task;
  EXPECT_EQ(worst, 1);
  EXPECT_EQ(served, 400u);
}

task<> wait_and_pass(turn& t) {
  for (;;) {
    const auto mine = co_await t.wait();
    co_await this_task::yield();
  }
}

ASTD_TEST(turn, survives_cancellations_at_any_moment) {
  turn t;
  for (int i = 0; i < 500; ++i) {
    auto one = spawn(wait_and_pass, std::ref(t));
    auto other = spawn(wait_and_pass, std::ref(t));
    for (int k = 0; k < i % 7; ++k) co_await this_task::yield();
    const auto first = co_await one.cancel();
    const auto second = co_await other.cancel();
    EXPECT_FALSE(first || second);
  }
  // Nobody has kept it.
  const auto mine = co_await t.wait();
}

}  // namespace
}  // namespace astd::io::detail
