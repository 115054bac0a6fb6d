// Tasks that are joined before anyone else has run them: what they are spared must not be missed when they suspend.
#include <astd/future.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/task_group.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace astd::testing {
namespace {

using namespace std::chrono_literals;

// Each spawns the next and joins it at once; the last does as told.
task<int> nest(int depth, task<int> innermost) {
  if (depth == 0) co_return co_await std::move(innermost);
  auto below = spawn(nest(depth - 1, std::move(innermost)));
  const int value = co_await std::move(below);
  co_return value + 1;
}

class settle : public ::testing::TestWithParam<unsigned> {
 protected:
  runtime rt{{.workers = GetParam(), .name = "settle"}};
};

task<int> at_once() { co_return 1; }
task<int> after_yields(int n) {
  for (int i = 0; i < n; ++i) co_await this_task::yield();
  co_return 1;
}
task<int> fails() {
  co_await fail(std::errc::io_error);
  co_return 0;
}
task<int> stops_itself() {
  this_task::request_cancel();
  co_await this_task::yield();
  co_return 0;
}

TEST_P(settle, a_nest_that_never_suspends_gives_its_value) {
  EXPECT_EQ(rt.block_on(rt.spawn(nest(1000, at_once()))), 1001);
  EXPECT_EQ(rt.metrics().tasks_alive, 0u);
}

TEST_P(settle, a_nest_that_suspends_at_its_end_gives_its_value) {
  for (int depth : {0, 1, 2, 50, 1000}) EXPECT_EQ(rt.block_on(rt.spawn(nest(depth, after_yields(3)))), depth + 1);
  EXPECT_EQ(rt.metrics().tasks_alive, 0u);
}

TEST_P(settle, a_failure_reaches_the_outermost) {
  const auto result = rt.block_on(as_result(rt.spawn(nest(20, fails()))));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), std::errc::io_error);
}

TEST_P(settle, a_task_that_stops_itself_is_cancelled_for_its_joiner) {
  const auto result = rt.block_on(as_result(rt.spawn(nest(20, stops_itself()))));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), std::errc::operation_canceled);
}

// While the innermost runs without having suspended, an outer one is asked to stop; it does so as soon as the innermost
// suspends, and what it waited for goes on without it.
TEST_P(settle, an_outer_task_that_is_cancelled_meanwhile_stops_and_leaves_the_inner_ones_alone) {
  struct world {
    std::optional<join_handle<int>> outer;
    test::flag inner_ended;
    int destroyed_before = 0;
  };
  struct watch {
    int& count;
    ~watch() { ++count; }
  };
  auto innermost = [](world& w) -> task<int> {
    w.outer->request_cancel();
    co_await this_task::sleep_for(1ms);
    w.inner_ended.set();
    co_return 1;
  };
  auto outer = [&](world& w) -> task<int> {
    const watch gone{w.destroyed_before};
    const int value = co_await nest(3, innermost(w));
    co_return value;
  };
  auto main = [&](world& w) -> task<> {
    // It is spawned, and joined only after the handle is where the innermost finds it.
    w.outer.emplace(spawn(outer(w)));
    const auto result = co_await as_result(*w.outer);
    EXPECT_FALSE(result);
    EXPECT_EQ(w.destroyed_before, 1);
    co_await w.inner_ended.wait();
  };
  for (int i = 0; i < 50; ++i) {
    world w;
    rt.block_on(rt.spawn(main, std::ref(w)));
  }
}

TEST_P(settle, a_dump_from_within_shows_who_waits_for_it) {
  auto dumping = [](runtime& here, std::string& text) -> task<int> {
    text = here.dump_tasks();
    co_return 1;
  };
  std::string text;
  EXPECT_EQ(rt.block_on(rt.spawn(nest(2, dumping(rt, text)))), 3);
  std::size_t joins = 0;
  for (std::size_t at = 0; (at = text.find("join of task", at)) != std::string::npos; ++at) ++joins;
  EXPECT_GE(joins, 2u) << text;
  EXPECT_NE(text.find("running"), std::string::npos) << text;
}

// When the last of a frame goes, the task has ended and is about to leave all lists: it may not enter one any more.
struct looks_around {
  explicit looks_around(runtime& here) noexcept : in(&here) {}
  looks_around(looks_around&& other) noexcept : in(std::exchange(other.in, nullptr)) {}
  ~looks_around() {
    if (in) static_cast<void>(in->dump_tasks());
  }
  runtime* in;
};
task<int> with_parameter(looks_around) { co_return 1; }
task<looks_around> with_result(runtime& here) { co_return looks_around(here); }

TEST_P(settle, a_dump_from_the_destructor_of_a_parameter_or_a_result_leaves_nothing_behind) {
  auto main = [](runtime& here) -> task<> {
    for (int i = 0; i < 100; ++i) {
      auto joined = spawn(with_parameter(looks_around(here)));
      const int value = co_await std::move(joined);
      EXPECT_EQ(value, 1);
      spawn(with_parameter(looks_around(here))).detach();
      spawn(with_result(here)).detach();
      co_await this_task::yield();
    }
  };
  rt.block_on(rt.spawn(main, std::ref(rt)));
  test::wait_until([&] { return rt.metrics().tasks_alive == 0; });
  const std::string text = rt.dump_tasks();
  EXPECT_NE(text.find(" 0 tasks have begun"), std::string::npos) << text;
}

TEST_P(settle, a_nested_block_on_lets_the_others_see_the_task) {
  auto blocking = [](runtime& here) -> task<int> {
    int value = block_on(after_yields(2));
    EXPECT_NE(here.dump_tasks().find("join of task"), std::string::npos);
    co_return value;
  };
  EXPECT_EQ(rt.block_on(rt.spawn(nest(2, blocking(rt)))), 3);
}

TEST_P(settle, what_is_cancelled_before_its_start_never_begins) {
  auto main = []() -> task<> {
    bool began = false;
    auto h = spawn(
        [](bool& b) -> task<> {
          b = true;
          co_return;
        },
        std::ref(began));
    h.request_cancel();
    const auto result = co_await as_result(std::move(h));
    EXPECT_FALSE(result);
    EXPECT_FALSE(began);
  };
  rt.block_on(rt.spawn(main));
}

// What is not on top of the queue is not called, and so takes nothing of the turn.
TEST(settle_alone, many_joins_of_what_is_not_on_top_use_up_no_turn) {
  runtime rt({.workers = 1, .name = "settle"});
  auto main = []() -> task<> {
    std::vector<join_handle<int>> handles;
    for (int i = 0; i < 1000; ++i) handles.push_back(spawn(after_yields(1)));
    const auto values = co_await join(std::move(handles));
    EXPECT_EQ(values.size(), 1000u);
  };
  rt.block_on(rt.spawn(main));
  std::uint64_t forced = 0;
  for (const worker_metrics& w : rt.metrics().workers) forced += w.forced_yields;
  EXPECT_EQ(forced, 0u);
}

TEST_P(settle, the_joiner_may_be_a_branch) {
  auto main = []() -> task<int> {
    auto a = spawn(after_yields(5));
    auto b = spawn(at_once());
    auto [x, y] = co_await join(std::move(a), std::move(b));
    co_return x + y;
  };
  EXPECT_EQ(rt.block_on(rt.spawn(main)), 2);
}

// Many nests that suspend, while other threads cancel them somewhere: everything ends.
TEST_P(settle, nests_that_are_cancelled_at_any_moment_end) {
  auto main = []() -> task<> {
    for (int i = 0; i < 300; ++i) {
      std::vector<join_handle<int>> handles;
      for (int k = 0; k < 8; ++k) handles.push_back(spawn(nest(k, after_yields(k % 3))));
      for (std::size_t k = 0; k < handles.size(); k += 2) handles[k].request_cancel();
      for (auto& h : handles) {
        const auto ended = co_await h.cancel();
        (void)ended;
      }
    }
  };
  rt.block_on(rt.spawn(main));
  for (int i = 0; i < 1000 && rt.metrics().tasks_alive != 0; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(rt.metrics().tasks_alive, 0u);
}

INSTANTIATE_TEST_SUITE_P(workers, settle, ::testing::Values(1u, 3u));

}  // namespace
}  // namespace astd::testing
