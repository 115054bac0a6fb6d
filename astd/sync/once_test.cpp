#include <astd/call_once.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/lazy.hpp>
#include <astd/once_cell.hpp>
#include <astd/sync/test_support.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using astd::call_once;
using astd::once_flag;
using test::in_order;
using test::one_worker;

constinit astd::once_flag global_flag("global");
int global_calls = 0;

task<int> makes_seven() {
  co_await this_task::yield();
  co_return 7;
}
constinit astd::lazy<int> global_lazy(&makes_seven, "seven");

ASTD_TEST(call_once, calls_once) {
  auto call = []() -> task<> {
    co_await this_task::yield();
    ++global_calls;
  };
  std::vector<join_handle<>> all;
  auto calls = [](auto what) -> task<> {
    co_await call_once(global_flag, what);
    EXPECT_EQ(global_calls, 1);
  };
  for (int i = 0; i < 50; ++i) all.push_back(spawn(calls(call)));
  for (auto& h : all) co_await h;
  EXPECT_TRUE(global_flag.is_done());
  EXPECT_EQ(global_calls, 1);
}

ASTD_TEST(call_once, takes_what_is_not_awaitable_and_arguments) {
  astd::once_flag flag;
  int sum = 0;
  auto adds = [](int& to, std::unique_ptr<int> what) { to += *what; };
  co_await call_once(flag, adds, std::ref(sum), std::make_unique<int>(3));
  co_await call_once(flag, adds, std::ref(sum), std::make_unique<int>(4));
  EXPECT_EQ(sum, 3);
}

ASTD_TEST_WITH(call_once, a_call_that_fails_or_is_cancelled_lets_the_next_try, one_worker()) {
  astd::once_flag flag;
  std::string log;
  enum class how { fails, throws, hangs, works };
  auto tries = [](astd::once_flag& f, std::string& into, how h) -> task<> {
    auto body = [&into, h]() -> task<> {
      into += "began ";
      co_await this_task::sleep_for(10s);
      if (h == how::fails) co_await fail(std::errc::io_error);
      if (h == how::throws) throw std::runtime_error("on purpose");
      if (h == how::hangs) co_await pending();
      into += "done ";
    };
    const auto r = co_await as_result(call_once(f, body));
    into += r ? "ok " : "failed ";
  };
  auto throws = [](astd::once_flag& f, std::string& into, auto t) -> task<> {
    try {
      co_await t(f, into, how::throws);
    } catch (const std::runtime_error&) {
      into += "threw ";
    }
  };
  in_order tasks;
  co_await tasks.spawn(tries, std::ref(flag), std::ref(log), how::fails);
  co_await tasks.spawn(throws, std::ref(flag), std::ref(log), tries);
  co_await tasks.spawn(tries, std::ref(flag), std::ref(log), how::hangs);
  co_await tasks.spawn(tries, std::ref(flag), std::ref(log), how::works);
  co_await tasks.spawn(tries, std::ref(flag), std::ref(log), how::works);
  co_await this_task::sleep_for(1min);
  co_await tasks.cancel(2);
  co_await tasks[3];
  co_await tasks[4];
  EXPECT_EQ(log, "began failed began threw began began done ok ok ");
  EXPECT_TRUE(flag.is_done());
}

ASTD_TEST_WITH(call_once, a_cancelled_waiter_disturbs_nobody, one_worker()) {
  astd::once_flag flag;
  int calls = 0;
  auto waits = [](astd::once_flag& f, int& n) -> task<> {
    auto body = [&n]() -> task<> {
      co_await this_task::sleep_for(1s);
      ++n;
    };
    co_await call_once(f, body);
  };
  in_order tasks;
  for (int i = 0; i < 3; ++i) co_await tasks.spawn(waits, std::ref(flag), std::ref(calls));
  co_await tasks.cancel(1);
  co_await tasks[0];
  co_await tasks[2];
  EXPECT_EQ(calls, 1);
}

TEST(call_once, plain_threads_use_it_without_a_runtime) {
  for (int round = 0; round < 200; ++round) {
    astd::once_flag flag;
    int calls = 0;
    std::atomic<int> failures = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&, i] {
        try {
          astd::call_once_blocking(flag, [&] {
            if (i == 0) throw std::runtime_error("on purpose");
            ++calls;
          });
          EXPECT_EQ(calls, 1);
        } catch (const std::runtime_error&) {
          ++failures;
        }
      });
    for (std::thread& t : threads) t.join();
    EXPECT_EQ(calls, 1);
    EXPECT_LE(failures, 1);
  }
}

ASTD_TEST(call_once, a_dump_says_who_is_at_it) {
  astd::once_flag flag("setup");
  runtime rt({.workers = 1});
  auto hangs = []() -> task<> { co_await pending(); };
  auto calls = [](astd::once_flag& f, auto what) -> task<> { co_await call_once(f, what); };
  auto first = rt.spawn(calls(flag, hangs));
  test::wait_for_dump(rt, {"waits in pending"});
  auto second = rt.spawn(calls(flag, hangs));
  test::wait_for_dump(rt, {"waits in call_once 'setup', held by task " + std::to_string(first.id())});
  for (auto* h : {&second, &first}) {
    const auto ended = co_await h->cancel();
    static_cast<void>(ended);
  }
}

ASTD_TEST(once_cell, is_set_once) {
  once_cell<std::string> cell;
  EXPECT_EQ(cell.get(), nullptr);
  EXPECT_TRUE(cell.set("first"));
  EXPECT_FALSE(cell.set("second"));
  EXPECT_EQ(*cell.get(), "first");
  EXPECT_EQ(*std::as_const(cell).get(), "first");
  auto make = [] { return "third"; };
  std::string& value = co_await cell.get_or_init(make);
  EXPECT_EQ(value, "first");
  EXPECT_EQ(&value, cell.get());
}

ASTD_TEST(once_cell, makes_its_value_once) {
  once_cell<std::unique_ptr<int>> cell;
  std::atomic<int> made = 0;
  auto asks = [](once_cell<std::unique_ptr<int>>& from, std::atomic<int>& count) -> task<> {
    auto make = [&count]() -> task<std::unique_ptr<int>> {
      co_await this_task::yield();
      ++count;
      co_return std::make_unique<int>(5);
    };
    auto& value = co_await from.get_or_init(make);
    EXPECT_EQ(*value, 5);
  };
  std::vector<join_handle<>> all;
  for (int i = 0; i < 50; ++i) all.push_back(spawn(asks(cell, made)));
  for (auto& h : all) co_await h;
  EXPECT_EQ(made, 1);
}

ASTD_TEST_WITH(once_cell, a_failing_or_cancelled_maker_lets_the_next_try, one_worker()) {
  once_cell<int> cell("answer");
  auto fails = []() -> task<int> {
    co_await this_task::yield();
    co_await fail(std::errc::io_error);
    co_return 1;
  };
  const auto end = co_await test::how_it_ends(cell.get_or_init(fails));
  EXPECT_NE(end, "value");
  EXPECT_EQ(cell.get(), nullptr);
  auto hangs = []() -> task<int> {
    co_await pending();
    co_return 2;
  };
  const auto late = co_await test::how_it_ends(timeout(1s, cell.get_or_init(hangs)));
  EXPECT_NE(late, "value");
  auto works = [] { return 42; };
  const int value = co_await cell.get_or_init(works);
  EXPECT_EQ(value, 42);
}

ASTD_TEST_WITH(once_cell, can_be_waited_for_and_emptied, one_worker()) {
  once_cell<std::string> cell;
  auto waits = [](once_cell<std::string>& on, std::vector<std::string>& into) -> task<> {
    std::string& value = co_await on.wait();
    into.push_back(value);
  };
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string> seen;
    in_order tasks;
    for (int i = 0; i < 3; ++i) co_await tasks.spawn(waits, std::ref(cell), std::ref(seen));
    co_await tasks.cancel(1);
    EXPECT_TRUE(seen.empty());
    EXPECT_TRUE(cell.set("here"));
    co_await tasks[0];
    co_await tasks[2];
    EXPECT_EQ(seen, (std::vector<std::string>{"here", "here"}));
    EXPECT_EQ(cell.take(), "here");
    EXPECT_FALSE(cell.take().has_value());
    EXPECT_EQ(cell.get(), nullptr);
  }
}

TEST(once_cell, plain_threads_use_it_without_a_runtime) {
  for (int round = 0; round < 200; ++round) {
    once_cell<std::string> cell;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&, i] {
        const std::string& value = i == 0
                                       ? cell.wait_blocking()
                                       : cell.get_or_init_blocking([i] { return "made by " + std::to_string(i); });
        EXPECT_EQ(value.substr(0, 8), "made by ");
      });
    for (std::thread& t : threads) t.join();
  }
}

ASTD_TEST(lazy, is_made_when_asked_for) {
  EXPECT_EQ(global_lazy.try_get(), nullptr);
  int& value = co_await global_lazy.get();
  EXPECT_EQ(value, 7);
  ++value;
  const int again = co_await global_lazy.get();
  EXPECT_EQ(again, 8);

  int made = 0;
  lazy plain([&made] { return std::string("made ") + std::to_string(++made); });
  const std::string first = co_await plain.get();
  EXPECT_EQ(first, "made 1");
  EXPECT_EQ(plain.get_blocking(), "made 1");
  static_assert(std::is_same_v<decltype(plain.try_get()), std::string*>);
  lazy named([]() -> task<int> { co_return 1; }, "one");
  static_assert(std::is_same_v<decltype(named.try_get()), int*>);
  const int one = co_await named.get();
  EXPECT_EQ(one, 1);
}

constinit astd::lazy<int> typed([] { return 7; }, "typed");

ASTD_TEST(lazy, of_a_type_and_a_lambda) {
  const int seven = co_await typed.get();
  EXPECT_EQ(seven, 7);
  lazy<std::string> text([] { return "of another type"; });
  const auto& made = co_await text.get();
  EXPECT_EQ(made, "of another type");
  lazy<int> awaited([]() -> task<int> { co_return 8; });
  const int eight = co_await awaited.get();
  EXPECT_EQ(eight, 8);
}

ASTD_TEST(lazy, that_fails_is_tried_again) {
  int tries = 0;
  lazy value([&tries]() -> task<int> {
    co_await this_task::yield();
    if (++tries < 3) co_await fail(std::errc::io_error);
    co_return tries;
  });
  for (int i = 0; i < 2; ++i) {
    const auto end = co_await test::how_it_ends(value.get());
    EXPECT_NE(end, "value");
  }
  const int third = co_await value.get();
  EXPECT_EQ(third, 3);
}

}  // namespace
