#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <expected>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace {

using namespace astd;
using test::counted;
using test::ending;
using test::manual_executor;
using test::run_to_end;
using test::test_run;

static_assert(std::same_as<await_result_t<decltype(as_result(ready(1)))>, std::expected<int, std::error_code>>);
static_assert(std::same_as<await_result_t<decltype(as_result(ready()))>, std::expected<void, std::error_code>>);

enum class how { value, failure, system_error, other };

task<std::unique_ptr<int>> ends(how h, counted = {}) {
  if (h == how::failure) co_await fail({std::make_error_code(std::errc::no_such_file_or_directory), "open", "/x"});
  if (h == how::system_error) throw std::system_error(std::make_error_code(std::errc::address_in_use), "bind");
  if (h == how::other) throw std::runtime_error("other");
  co_return std::make_unique<int>(1);
}
task<> ends_without_value(how h, counted = {}) {
  auto v = co_await or_return(ends(h));
  if (!v) throw std::logic_error("no value");
}

TEST(as_result, gives_a_value) {
  auto program = []() -> task<int> {
    auto r = co_await as_result(ends(how::value));
    auto v = co_await as_result(ends_without_value(how::value));
    co_return r&& v ? **r : 0;
  };
  EXPECT_EQ(run_to_end(program()), 1);
}

TEST(as_result, gives_the_code_of_a_failure_and_of_a_system_error) {
  auto program = [](how h) -> task<std::error_code> {
    auto r = co_await as_result(ends(h));
    auto v = co_await as_result(ends_without_value(h));
    if (r || v || r.error() != v.error()) co_return std::error_code();
    co_return r.error();
  };
  EXPECT_EQ(run_to_end(program(how::failure)), std::errc::no_such_file_or_directory);
  EXPECT_EQ(run_to_end(program(how::system_error)), std::errc::address_in_use);
  EXPECT_EQ(counted::live(), 0);
}

TEST(as_result, throws_what_is_no_system_error) {
  auto program = []() -> task<std::string> {
    try {
      auto r = co_await as_result(ends(how::other));
      co_return r ? "value" : "error";
    } catch (const std::runtime_error& e) {
      co_return e.what();
    }
  };
  EXPECT_EQ(run_to_end(program()), "other");
}

// The awaiter's outcome is taken then before any coroutine goes on.
TEST(as_result, within_something_else_throws_it_too) {
  auto in_join = []() -> task<std::string> {
    try {
      auto r = co_await join(as_result(ends(how::failure)), as_result(ends(how::other)));
      co_return std::get<0>(r) ? "value" : "error";
    } catch (const std::runtime_error& e) {
      co_return e.what();
    }
  };
  EXPECT_EQ(run_to_end(in_join()), "other");
  auto in_or_return = []() -> task<std::string> {
    try {
      auto r = co_await or_return(as_result(ends(how::other)));
      co_return r ? "value" : "error";
    } catch (const std::runtime_error& e) {
      co_return e.what();
    }
  };
  EXPECT_EQ(run_to_end(in_or_return()), "other");
  auto in_itself = []() -> task<std::string> {
    try {
      auto r = co_await as_result(as_result(ends(how::other)));
      co_return r ? "value" : "error";
    } catch (const std::runtime_error& e) {
      co_return e.what();
    }
  };
  EXPECT_EQ(run_to_end(in_itself()), "other");
}

TEST(as_result, of_what_is_ready) {
  auto program = []() -> task<int> {
    auto r = co_await as_result(ready(3));
    auto v = co_await as_result(ready());
    auto twice = co_await as_result(as_result(ready(4)));
    auto through = co_await or_return(as_result(ready(5)));
    co_return v ? *r + **twice + *through : 0;
  };
  EXPECT_EQ(run_to_end(program()), 12);
}

TEST(as_result, is_itself_an_awaitable_that_can_wait) {
  auto program = []() -> task<int> {
    auto later = as_result(ends(how::value));
    auto moved = std::move(later);
    auto r = co_await std::move(moved);
    co_return **r;
  };
  EXPECT_EQ(run_to_end(program()), 1);
  {
    auto never = as_result(ends(how::value, counted()));
  }
  EXPECT_EQ(counted::live(), 0);
}

TEST(as_result, lets_cancellation_through) {
  manual_executor loop;
  bool saw_it = false;
  auto program = [&](counted) -> task<> {
    auto r = co_await as_result(pending<int>());
    saw_it = true;
    if (!r) co_await pending();
  };
  test_run run(loop, program({}));
  run.start();
  run.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_FALSE(saw_it);
  EXPECT_EQ(counted::live(), 0);
}

TEST(as_result, keeps_a_value_whose_move_throws_from_ending_the_program) {
  struct throws_when_moved {
    throws_when_moved() = default;
    throws_when_moved(throws_when_moved&& other) : moves(other.moves + 1) {
      if (moves > 1) throw std::runtime_error("moved");
    }
    int moves = 0;
  };
  auto inner = []() -> task<throws_when_moved> { co_return throws_when_moved(); };
  auto program = [&](int way) -> task<std::string> {
    try {
      if (way == 0) {
        auto v = co_await join(inner());
        (void)v;
      }
      if (way == 1) {
        auto v = co_await or_return(inner());
        (void)v;
      }
      if (way == 2) {
        auto v = co_await as_result(inner());
        (void)v;
      }
      co_return "value";
    } catch (const std::runtime_error& e) {
      co_return e.what();
    }
  };
  for (int way : {0, 1, 2}) EXPECT_EQ(run_to_end(program(way)), "moved") << way;
}

}  // namespace
