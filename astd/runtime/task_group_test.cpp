// task_group: everything in it ends before it does, whatever happens.
#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/shield.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/task_group.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::flag;
using test::for_ever;

task<int> after(flag& f, int n) {
  co_await f.wait();
  co_return n;
}
task<int> number(int n) {
  co_await this_task::yield();
  co_return n;
}
task<> breaks(const char* text) {
  co_await this_task::yield();
  throw std::runtime_error(text);
}

ASTD_TEST(task_group, gives_the_value_of_its_body) {
  auto empty = [](task_group&) -> task<> { co_return; };
  co_await task_group::run(empty);
  auto body = [](task_group& g) -> task<std::string> {
    EXPECT_EQ(g.size(), 0u);
    co_return "value";
  };
  const auto text = co_await task_group::run(body);
  EXPECT_EQ(text, "value");
}

ASTD_TEST(task_group, waits_for_its_tasks) {
  std::atomic<int> ended = 0;
  flag go;
  auto child = [](flag& f, std::atomic<int>& n) -> task<> {
    const counted local;
    co_await f.wait();
    co_await this_task::yield();
    ++n;
  };
  auto body = [&](task_group& g) -> task<int> {
    for (int i = 0; i < 10; ++i) g.spawn(child, std::ref(go), std::ref(ended));
    EXPECT_EQ(g.size(), 10u);
    go.set();
    co_return 3;
  };
  const auto three = co_await task_group::run(body);
  EXPECT_EQ(three, 3);
  EXPECT_EQ(ended, 10);
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST(task_group, next_gives_results_as_they_come) {
  auto body = [](task_group& g) -> task<std::vector<int>> {
    flag turns[3];
    for (int i = 0; i < 3; ++i) g.spawn(after(turns[i], i));
    std::vector<int> seen;
    for (const int i : {2, 0, 1}) {
      turns[i].set();
      const auto n = co_await g.next<int>();
      EXPECT_TRUE(n.has_value());
      seen.push_back(n.value_or(-1));
    }
    const auto none = co_await g.next<int>();
    EXPECT_EQ(none, std::nullopt);
    co_return seen;
  };
  const auto seen = co_await task_group::run(body);
  EXPECT_EQ(seen, (std::vector<int>{2, 0, 1}));
}

ASTD_TEST(task_group, next_of_one_type_knows_nothing_of_others) {
  auto body = [](task_group& g) -> task<> {
    flag go;
    g.spawn(after(go, 1));
    auto words = []() -> task<std::string> { co_return "word"; };
    g.spawn(words);
    g.spawn(for_ever());
    const auto word = co_await g.next<std::string>();
    EXPECT_EQ(word, "word");
    const auto no_word = co_await g.next<std::string>();
    EXPECT_EQ(no_word, std::nullopt) << "though other tasks run";
    const auto no_double = co_await g.next<double>();
    EXPECT_EQ(no_double, std::nullopt);
    go.set();
    const auto one = co_await g.next<int>();
    EXPECT_EQ(one, 1);
    g.request_cancel();  // the one that never ends
  };
  co_await task_group::run(body);
}

ASTD_TEST(task_group, next_tells_of_tasks_without_a_value) {
  int ended = 0;
  int told = 0;
  co_await task_group::run([&](task_group& g) -> task<> {
    for (int i = 0; i < 5; ++i)
      g.spawn([](int& count) -> task<> {
        co_await this_task::yield();
        ++count;
      }(ended));
    auto kept = g.spawn([]() -> task<> { co_return; });
    auto other = g.spawn([]() -> task<int> { co_return 1; });
    auto cancelled = g.spawn([]() -> task<> { co_await pending<>(); });
    cancelled.request_cancel();
    while (co_await g.next()) ++told;
    EXPECT_EQ(ended, 5);
    co_await std::move(kept);  // its end was told, and is given
    const auto one = co_await std::move(other);
    EXPECT_EQ(one, 1);
    const auto none = co_await g.next();
    EXPECT_FALSE(none);
  });
  EXPECT_EQ(told, 6);
}

ASTD_TEST(task_group, several_may_wait_for_the_next) {
  std::atomic<int> total = 0;
  std::atomic<int> ends = 0;
  auto taker = [](task_group& g, std::atomic<int>& sum, std::atomic<int>& n) -> task<> {
    for (;;) {
      const auto v = co_await g.next<int>();
      if (!v) break;
      sum += *v;
    }
    ++n;
  };
  auto body = [&](task_group& g) -> task<> {
    flag go;
    for (int i = 1; i <= 100; ++i) g.spawn(after(go, i));
    for (int i = 0; i < 3; ++i) g.spawn(taker, std::ref(g), std::ref(total), std::ref(ends));
    co_await this_task::yield();
    go.set();
    co_await taker(g, total, ends);
  };
  co_await task_group::run(body);
  EXPECT_EQ(total, 5050);
  EXPECT_EQ(ends, 4);
}

// ---- failure

ASTD_TEST(task_group, the_first_failure_cancels_the_rest_and_is_thrown) {
  auto body = [](task_group& g) -> task<> {
    for (int i = 0; i < 5; ++i) g.spawn(for_ever());
    g.spawn(breaks("a child"));
    co_await for_ever();
  };
  const auto how = co_await test::how_it_ends(task_group::run(body));
  EXPECT_EQ(how, "a child");
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST(task_group, a_failure_without_an_exception) {
  auto fails = []() -> task<int> {
    co_await this_task::yield();
    co_await fail(failure(std::make_error_code(std::errc::broken_pipe), "a child's pipe"));
    co_return 0;
  };
  auto body = [&](task_group& g) -> task<int> {
    g.spawn(for_ever());
    g.spawn(fails);
    co_await for_ever();
    co_return 1;
  };
  const auto result = co_await as_result(task_group::run(body));
  EXPECT_FALSE(result.has_value());
  if (!result) EXPECT_EQ(result.error(), std::errc::broken_pipe);
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST(task_group, a_body_that_fails_cancels_its_tasks) {
  auto body = [](task_group& g) -> task<int> {
    g.spawn(for_ever());
    auto kept = g.spawn(for_ever());
    co_await this_task::yield();
    throw std::runtime_error("the body");
  };
  const auto how = co_await test::how_it_ends(task_group::run(body));
  EXPECT_EQ(how, "the body");
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST(task_group, a_failure_that_the_handle_gives_fails_the_group_all_the_same) {
  auto body = [](task_group& g) -> task<> {
    auto h = g.spawn(breaks("seen twice"));
    // We are being cancelled meanwhile, and so look in a shield.
    const auto how = co_await shield(test::how_it_ends(std::move(h)));
    EXPECT_EQ(how, "seen twice");
  };
  const auto how = co_await test::how_it_ends(task_group::run(body));
  EXPECT_EQ(how, "seen twice");
}

// A failed task is the group's: nobody reports it as lost.
ASTD_TEST(task_group, a_failure_is_not_lost_twice) {
  static std::atomic<int> reports = 0;
  const auto before = set_lost_exception_handler([](std::exception_ptr, std::string_view) noexcept { ++reports; });
  auto body = [](task_group& g) -> task<> {
    g.spawn(breaks("detached"));
    auto kept = g.spawn(breaks("dropped at the end of the body"));
    co_await this_task::yield();
  };
  const auto how = co_await test::how_it_ends(task_group::run(body));
  EXPECT_NE(how, "value");
  set_lost_exception_handler(before);
  EXPECT_EQ(reports, 0);
}

// ---- cancelling

ASTD_TEST(task_group, cancelling_run_ends_all) {
  for (int round = 0; round < 50; ++round) {
    flag begun;
    auto body = [&begun](task_group& g) -> task<> {
      for (int i = 0; i < 10; ++i) g.spawn(for_ever());
      auto nested_body = [](task_group& inner) -> task<> {
        for (int i = 0; i < 10; ++i) inner.spawn(for_ever()).detach();
        co_await for_ever();
      };
      auto nested = [nested_body]() -> task<> { co_await task_group::run(nested_body); };
      g.spawn(nested);
      co_await for_ever(&begun);
    };
    auto running = [&body]() -> task<> { co_await task_group::run(body); };
    auto h = spawn(running);
    if (round % 2) co_await begun.wait();
    const auto none = co_await h.cancel();
    EXPECT_EQ(none, std::nullopt);
    EXPECT_EQ(counted::live(), 0);
  }
}

// Whatever the body returned: the work it stands for was not done.
ASTD_TEST(task_group, that_was_cut_off_gives_no_value) {
  auto spawns_and_returns = [](task_group& g) -> task<int> {
    for (int i = 0; i < 10; ++i) g.spawn(for_ever());
    co_return 1;
  };
  const auto late = co_await as_result(timeout(1ms, task_group::run(spawns_and_returns)));
  EXPECT_FALSE(late.has_value());
  EXPECT_EQ(late.error(), std::errc::timed_out);
  bool went_on = false;
  auto waits = [&]() -> task<> {
    const auto n = co_await task_group::run(spawns_and_returns);
    went_on = n == 1;
  };
  auto h = spawn(waits);
  co_await this_task::sleep_for(1ms);
  const auto none = co_await h.cancel();
  EXPECT_FALSE(none.has_value());
  EXPECT_FALSE(went_on);
  // What the body cancels itself is not missing.
  auto cancels = [](task_group& g) -> task<int> {
    g.spawn(for_ever());
    g.request_cancel();
    co_return 2;
  };
  const auto two = co_await task_group::run(cancels);
  EXPECT_EQ(two, 2);
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST(task_group, what_is_spawned_while_it_is_cancelled_does_not_begin) {
  std::atomic<int> began = 0;
  auto child = [](std::atomic<int>& n) -> task<> {
    ++n;
    co_await pending();
  };
  auto body = [&](task_group& g) -> task<> {
    g.request_cancel();
    for (int i = 0; i < 10; ++i) g.spawn(child, std::ref(began));
    auto kept = g.spawn(child, std::ref(began));
    const auto is = co_await test::ends_with<task_cancelled>(std::move(kept));
    EXPECT_TRUE(is);
  };
  co_await task_group::run(body);
  EXPECT_EQ(began, 0);
}

// A child that waits for its siblings is asked to stop under the eyes of the group.
ASTD_TEST(task_group, a_child_that_waits_for_the_next_can_be_cancelled) {
  auto waits = [](task_group& g) -> task<> {
    const auto n = co_await g.next<int>();
    EXPECT_EQ(n, std::nullopt) << "it came to know of its sibling's end before its own";
  };
  for (int i = 0; i < 100; ++i) {
    flag never;
    auto body = [&](task_group& g) -> task<> {
      g.spawn(after(never, 1));
      g.spawn(waits, std::ref(g));
      co_await this_task::yield();
      g.spawn(breaks("now"));
      co_await for_ever();
    };
    const auto how = co_await test::how_it_ends(task_group::run(body));
    EXPECT_EQ(how, "now");
  }
}

ASTD_TEST(task_group, one_child_can_be_cancelled_by_its_handle) {
  auto body = [](task_group& g) -> task<int> {
    auto h = g.spawn(for_ever());
    const auto none = co_await h.cancel();
    EXPECT_EQ(none, std::nullopt);
    auto n = g.spawn(number(4));
    const auto four = co_await n;
    co_return four;
  };
  const auto four = co_await task_group::run(body);
  EXPECT_EQ(four, 4);
}

// ---- handles and values

ASTD_TEST(task_group, what_a_handle_gives_next_does_not) {
  auto body = [](task_group& g) -> task<> {
    auto h = g.spawn(number(1));
    g.spawn(number(2));
    const auto two = co_await g.next<int>();
    EXPECT_EQ(two, 2);
    const auto none = co_await g.next<int>();
    EXPECT_EQ(none, std::nullopt);
    const auto one = co_await h;
    EXPECT_EQ(one, 1);
  };
  co_await task_group::run(body);
}

task<> until_finished(const join_handle<int>& h) {
  while (!h.is_finished()) co_await this_task::yield();
}

ASTD_TEST(task_group, its_handles_are_join_handles) {
  auto body = [](task_group& g) -> task<> {
    join_handle<int> one = g.spawn(number(1));
    std::vector<join_handle<int>> kept;
    kept.push_back(g.spawn(number(2)));
    auto three = g.spawn(number(3));
    const auto a = co_await one;
    const auto b = co_await kept.front();
    const auto c = co_await three;
    EXPECT_EQ(a + b + c, 6);
  };
  co_await task_group::run(body);
}

ASTD_TEST(task_group, next_gives_the_value_of_a_handle_that_is_dropped_late) {
  auto body = [](task_group& g) -> task<> {
    auto h = g.spawn(number(1));
    co_await until_finished(h);
    const auto held = co_await g.next<int>();
    EXPECT_EQ(held, std::nullopt) << "it is the handle's, as long as there is one";
    h.detach();
    const auto dropped = co_await g.next<int>();
    EXPECT_EQ(dropped, 1);
    // And to one that waits already.
    flag go;
    auto slow = g.spawn(after(go, 2));
    slow.detach();
    auto late = g.spawn(number(3));
    co_await until_finished(late);
    auto waits = [](task_group& group) -> task<int> {
      const auto n = co_await group.next<int>();
      co_return n.value_or(-1);
    };
    auto waiting = spawn(waits, std::ref(g));
    co_await this_task::yield();
    late.detach();
    const auto three = co_await waiting;
    EXPECT_EQ(three, 3);
    go.set();
    const auto two = co_await g.next<int>();
    EXPECT_EQ(two, 2);
  };
  co_await task_group::run(body);
}

TEST(task_group, a_finished_handle_is_dropped_or_awaited_while_the_group_ends) {
  runtime rt({.workers = 3, .name = "ends"});
  auto drops = [](join_handle<int> h, bool await) -> task<> {
    co_await until_finished(h);
    if (!await) co_return;
    const auto n = co_await h;
    EXPECT_EQ(n, 7);
  };
  auto body = [&](task_group& g) -> task<> {
    for (int i = 0; i < 4; ++i) {
      auto h = g.spawn(number(7));
      spawn(drops, std::move(h), i % 2 == 0).detach();
    }
    const auto some = co_await g.next<int>();
    EXPECT_EQ(some.value_or(7), 7);
  };
  auto repeats = [&]() -> task<> {
    for (int i = 0; i < (ASTD_SANITIZED ? 300 : 2000); ++i) co_await task_group::run(body);
  };
  rt.block_on(rt.spawn(repeats));
}

ASTD_TEST(task_group, values_that_nobody_takes_are_destroyed) {
  auto child = []() -> task<counted> {
    co_await this_task::yield();
    co_return counted();
  };
  auto body = [&](task_group& g) -> task<> {
    for (int i = 0; i < 10; ++i) g.spawn(child);
    const auto one = co_await g.next<counted>();
    EXPECT_TRUE(one.has_value());
    auto kept = g.spawn(child);
    while (!kept.is_finished()) co_await this_task::yield();
  };
  co_await task_group::run(body);
  EXPECT_EQ(counted::live(), 0);
}

ASTD_TEST(task_group, a_handle_may_outlive_the_group) {
  join_handle<int> kept;
  auto body = [&kept](task_group& g) -> task<> {
    kept = g.spawn(number(9));
    co_return;
  };
  co_await task_group::run(body);
  EXPECT_TRUE(kept.is_finished());
  const auto nine = co_await kept;
  EXPECT_EQ(nine, 9);
}

// ---- many, and from many places

task<> family(task_group& g, int depth, std::atomic<int>& members) {
  ++members;
  if (depth == 0) co_return;
  for (int i = 0; i < 3; ++i) g.spawn(family(g, depth - 1, members));
  co_await this_task::yield();
}

ASTD_TEST(task_group, children_spawn_children) {
  std::atomic<int> members = 0;
  auto body = [&](task_group& g) -> task<> { return family(g, 7, members); };
  co_await task_group::run(body);
  EXPECT_EQ(members, (6561 - 1) / 2);  // 3^0 + ... + 3^7
}

ASTD_TEST(task_group, ten_thousand_children) {
  auto body = [](task_group& g) -> task<long> {
    for (int i = 0; i < 10'000; ++i) g.spawn(number(i));
    long sum = 0;
    for (;;) {
      const auto n = co_await g.next<int>();
      if (!n) break;
      sum += *n;
    }
    co_return sum;
  };
  const auto sum = co_await task_group::run(body);
  EXPECT_EQ(sum, 9'999L * 10'000 / 2);
}

TEST(task_group, tasks_come_from_plain_threads_too) {
  runtime rt({.workers = 2, .name = "group"});
  std::atomic<int> ran = 0;
  auto child = [](std::atomic<int>& n) -> task<> {
    ++n;
    co_return;
  };
  auto body = [&](task_group& g) -> task<> {
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 300; ++i) g.spawn(child, std::ref(ran));
      });
    co_await this_task::yield();
    for (std::thread& t : threads) t.join();
  };
  rt.block_on(task_group::run(body));
  EXPECT_EQ(ran, 900);
}

// What it spawns may have ended before it returns; and it is not called in a chain that is to stop.
ASTD_TEST(task_group, the_body_need_not_be_a_coroutine) {
  auto child = [](std::atomic<int>& n) -> task<> {
    const counted local;
    ++n;
    co_return;
  };
  auto sum = [](int n) -> task<int> { co_return n; };
  std::atomic<int> ran = 0;
  auto body = [&](task_group& g) {
    for (int i = 0; i < 3; ++i) g.spawn(child, std::ref(ran));
    return sum(3);
  };
  for (int round = 1; round <= 100; ++round) {
    const auto three = co_await task_group::run(body);
    EXPECT_EQ(three, 3);
    EXPECT_EQ(ran, 3 * round);
  }
  auto throws = [&](task_group& g) -> task<int> {
    g.spawn(for_ever());
    if (ran > 0) throw std::runtime_error("no task");
    return sum(0);
  };
  const auto how = co_await test::how_it_ends(task_group::run(throws));
  EXPECT_EQ(how, "no task");
  auto stops = [&]() -> task<> {
    this_task::request_cancel();
    co_await task_group::run(body);
  };
  auto stopped = spawn(stops);
  const auto value = co_await stopped.cancel();
  EXPECT_FALSE(value.has_value());
  EXPECT_EQ(ran, 300);
  EXPECT_EQ(counted::live(), 0);
}

// The children run on workers; who awaits the group stays where it belongs.
TEST(task_group, run_goes_on_where_it_was_awaited) {
  runtime rt({.workers = 3, .name = "group"});
  auto slow = [](std::thread::id home) -> task<bool> {
    co_await this_task::sleep_for(100us);
    co_return std::this_thread::get_id() != home;
  };
  for (int i = 0; i < 100; ++i) {
    const auto home = std::this_thread::get_id();
    bool elsewhere = false;
    auto body = [&](task_group& g) -> task<> {
      for (int n = 0; n < 3; ++n) g.spawn(slow, home);
      co_return;
    };
    rt.block_on(task_group::run(body));
    auto within = [&]() -> task<> {
      co_await task_group::run(body);
      elsewhere |= std::this_thread::get_id() != home;
    };
    rt.block_on(within());
    auto local = [&]() -> task<> {
      auto h = spawn_local(within);
      co_await h;
    };
    rt.block_on(local());
    EXPECT_FALSE(elsewhere);
  }
}

}  // namespace
