// task_local: a value for a stretch of a task.
#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/task_builder.hpp>
#include <astd/runtime/task_group.hpp>
#include <astd/runtime/task_local.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::flag;

task_local<std::string> user;
task_local<int> depth;
task_local<int> request(inherited);
task_local<std::unique_ptr<int>> owned;

std::string seen() {
  const std::string* const u = user.try_get();
  const int* const d = depth.try_get();
  const int* const r = request.try_get();
  return (u ? *u : "-") + " " + (d ? std::to_string(*d) : "-") + " " + (r ? std::to_string(*r) : "-");
}
task<std::string> look() {
  co_await this_task::yield();
  co_return seen();
}

ASTD_TEST(task_local, has_a_value_inside_with_only) {
  EXPECT_EQ(seen(), "- - -");
  EXPECT_THROW((void)user.get(), std::logic_error);
  const auto inside = co_await user.with("me", look());
  EXPECT_EQ(inside, "me - -");
  EXPECT_EQ(seen(), "- - -");
}

ASTD_TEST(task_local, nests_and_hides) {
  auto inner = []() -> task<> {
    EXPECT_EQ(seen(), "outer 1 -");
    const auto hidden = co_await user.with("inner", look());
    EXPECT_EQ(hidden, "inner 1 -");
    EXPECT_EQ(seen(), "outer 1 -");
    const auto both = co_await depth.with(2, user.with("deep", look()));
    EXPECT_EQ(both, "deep 2 -");
    EXPECT_EQ(seen(), "outer 1 -");
  };
  co_await user.with("outer", depth.with(1, inner()));
}

ASTD_TEST(task_local, can_be_changed_in_place) {
  auto body = []() -> task<int> {
    depth.get() = 5;
    co_await this_task::yield();
    ++depth.get();
    co_return depth.get();
  };
  const auto six = co_await depth.with(1, body());
  EXPECT_EQ(six, 6);
  auto move_only = []() -> task<int> {
    co_await this_task::yield();
    co_return *owned.get();
  };
  const auto seven = co_await owned.with(std::make_unique<int>(7), move_only());
  EXPECT_EQ(seven, 7);
}

ASTD_TEST(task_local, branches_have_the_value_and_may_have_their_own) {
  auto body = []() -> task<std::vector<std::string>> {
    const auto all = co_await join(look(), user.with("b", look()), depth.with(3, look()));
    const auto raced = co_await race(look(), look());
    std::vector<std::string> texts{std::get<0>(all), std::get<1>(all), std::get<2>(all), raced};
    co_return texts;
  };
  const auto texts = co_await user.with("a", body());
  EXPECT_EQ(texts, (std::vector<std::string>{"a - -", "b - -", "a 3 -", "a - -"}));
}

ASTD_TEST(task_local, is_inherited_by_choice) {
  auto body = []() -> task<> {
    auto h = spawn(look());
    const auto spawned = co_await h;
    EXPECT_EQ(spawned, "- - 9");
    auto local = spawn_local(look());
    const auto spawned_here = co_await local;
    EXPECT_EQ(spawned_here, "- - 9");
    auto blocking = spawn_blocking(seen);
    const auto in_the_pool = co_await blocking;
    EXPECT_EQ(in_the_pool, "- - 9");
    auto grandchild = []() -> task<std::string> {
      auto again = spawn(look());
      auto text = co_await again;
      co_return text;
    };
    auto g = spawn(grandchild);
    const auto by_two = co_await g;
    EXPECT_EQ(by_two, "- - 9");
    auto group = [](task_group& tasks) -> task<std::string> {
      auto member = tasks.spawn(look());
      auto text = co_await member;
      co_return text;
    };
    const auto in_group = co_await task_group::run(group);
    EXPECT_EQ(in_group, "- - 9");
  };
  co_await user.with("me", request.with(9, body()));
}

ASTD_TEST(task_local, a_copy_is_the_tasks_own) {
  auto changes = []() -> task<int> {
    request.get() += 1;
    co_await this_task::yield();
    co_return request.get();
  };
  auto body = [&]() -> task<> {
    auto a = spawn(changes);
    auto b = spawn(changes);
    const auto from_a = co_await a;
    const auto from_b = co_await b;
    EXPECT_EQ(from_a, 2);
    EXPECT_EQ(from_b, 2);
    EXPECT_EQ(request.get(), 1);
  };
  co_await request.with(1, body());
}

task_local<counted> tracked(inherited);
task_local<std::shared_ptr<std::string>> shared_text(inherited);

ASTD_TEST(task_local, values_and_copies_are_destroyed) {
  auto child = [](flag& f) -> task<> { co_await f.wait(); };
  flag go;
  join_handle<> outlives;
  auto body = [&]() -> task<> {
    const long before = counted::live();  // the value, and what it was moved from on its way
    outlives = spawn(child, std::ref(go));
    EXPECT_EQ(counted::live(), before + 1);
    auto short_lived = []() -> task<> { co_return; };
    auto h = spawn(short_lived);
    co_await h;
    EXPECT_EQ(counted::live(), before + 1);
    auto cancelled = spawn(test::for_ever());
    const auto none = co_await cancelled.cancel();
    EXPECT_FALSE(none.has_value());
    EXPECT_EQ(counted::live(), before + 1);
  };
  co_await tracked.with(counted(), body());
  EXPECT_EQ(counted::live(), 1) << "of the task that still runs";
  go.set();
  co_await outlives;
  EXPECT_EQ(counted::live(), 0);
}

struct asks_at_its_end {
  std::string* text;
  ~asks_at_its_end() { *text = shared_text.try_get() ? *shared_text.get() : "none"; }
};

// The destructors of a task's frame may still ask.
ASTD_TEST(task_local, lives_as_long_as_the_tasks_frame) {
  std::string at_the_end, at_a_stop;
  auto ends = [](std::string* text) -> task<> {
    const asks_at_its_end local{text};
    co_await this_task::yield();
  };
  auto stops = [](std::string* text) -> task<> {
    const asks_at_its_end local{text};
    co_await pending();
  };
  auto body = [&]() -> task<> {
    auto a = spawn(ends, &at_the_end);
    co_await a;
    auto b = spawn(stops, &at_a_stop);
    co_await this_task::sleep_for(1ms);
    const auto none = co_await b.cancel();
    EXPECT_FALSE(none.has_value());
  };
  co_await shared_text.with(std::make_shared<std::string>("there"), body());
  EXPECT_EQ(at_the_end, "there");
  EXPECT_TRUE(at_a_stop == "there" || at_a_stop.empty()) << at_a_stop << " (empty: it had not begun)";
}

class refuses_to_be_copied {
 public:
  refuses_to_be_copied() = default;
  refuses_to_be_copied(refuses_to_be_copied&&) = default;
  refuses_to_be_copied(const refuses_to_be_copied&) { throw std::runtime_error("no copy"); }
};
task_local<refuses_to_be_copied> stubborn(inherited);

ASTD_TEST(task_local, a_value_that_cannot_be_copied_is_the_spawns_failure) {
  auto body = []() -> task<> {
    const auto look_with = [](counted) { return look(); };
    EXPECT_THROW(spawn(look_with, counted()).detach(), std::runtime_error);
    EXPECT_THROW(task_builder().name("look").spawn(look()).detach(), std::runtime_error);
    auto in_a_group = [&](task_group& g) -> task<> {
      EXPECT_THROW(g.spawn(look_with, counted()), std::runtime_error);
      EXPECT_EQ(g.size(), 0u);
      co_return;
    };
    co_await task_group::run(in_a_group);
  };
  co_await tracked.with(counted(), stubborn.with(refuses_to_be_copied(), body()));
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST(task_local, is_left_by_cancellation_and_exceptions) {
  auto breaks = []() -> task<> {
    co_await this_task::yield();
    throw std::runtime_error("inside");
  };
  const auto how = co_await test::how_it_ends(tracked.with(counted(), breaks()));
  EXPECT_EQ(how, "inside");
  EXPECT_EQ(counted::live(), 0);
  flag begun;
  auto body = [&begun]() -> task<> { co_await tracked.with(counted(), test::for_ever(&begun)); };
  auto h = spawn(body);
  co_await begun.wait();
  const auto none = co_await h.cancel();
  EXPECT_FALSE(none.has_value());
  EXPECT_EQ(counted::live(), 0);
  EXPECT_EQ(seen(), "- - -");
}

TEST(task_local, works_in_block_on_and_has_none_in_a_plain_thread) {
  EXPECT_EQ(user.try_get(), nullptr);
  EXPECT_EQ(block_on(user.with("main", look())), "main - -");
  EXPECT_EQ(user.try_get(), nullptr);
  // block_on is a task of its own: what its thread's task has, it does not.
  auto body = []() -> task<std::string> {
    const std::string inner = block_on(look());
    co_return inner + "; " + seen();
  };
  EXPECT_EQ(block_on(user.with("outer", body())), "- - -; outer - -");
}

}  // namespace
