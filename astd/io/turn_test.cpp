#include <astd/coro/join.hpp>
#include <astd/io/turn.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <optional>
#include <vector>

namespace astd::io::detail {
namespace {

task<> note(turn& t, std::vector<int>& order, int who) {
  const auto mine = co_await t.wait();
  order.push_back(who);
}

ASTD_TEST(turn, comes_in_the_order_of_waiting) {
  turn t;
  std::vector<int> order;
  auto mine = std::make_optional(co_await t.wait());
  auto first = spawn_local(note(t, order, 1));
  co_await this_task::yield();
  auto second = spawn_local(note(t, order, 2));
  co_await this_task::yield();
  auto third = spawn_local(note(t, order, 3));
  co_await this_task::yield();
  EXPECT_TRUE(order.empty());
  mine.reset();
  co_await third;
  co_await second;
  co_await first;
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

ASTD_TEST(turn, passes_over_who_is_cancelled) {
  turn t;
  std::vector<int> order;
  auto mine = std::make_optional(co_await t.wait());
  auto first = spawn_local(note(t, order, 1));
  co_await this_task::yield();
  auto second = spawn_local(note(t, order, 2));
  co_await this_task::yield();
  const auto value = co_await first.cancel();
  EXPECT_FALSE(value);
  mine.reset();
  co_await second;
  EXPECT_EQ(order, (std::vector{2}));
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
