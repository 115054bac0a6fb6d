#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/select.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_branches.hpp>
#include <astd/coro/test_loop.hpp>
#include <astd/coro/test_world.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <variant>

namespace {

using namespace astd;
using test::cancel_everywhere;
using test::counted;
using test::ending;
using test::fails;
using test::gives;
using test::manual_executor;
using test::moves;
using test::nothing;
using test::on_stop;
using test::run_to_end;
using test::test_run;
using test::waits;
using test::world;

static_assert(std::same_as<
              await_result_t<decltype(select(gives(1), nothing(), moves(1)))>,
              std::tuple<std::optional<int>, std::optional<std::monostate>, std::optional<std::unique_ptr<int>>>>);

TEST(select, gives_what_there_is) {
  bool started = false;
  auto behind = [&](counted) -> task<int> {
    started = true;
    co_return 1;
  };
  auto program = [&]() -> task<> {
    auto s = co_await select(pending<int>(), moves(2), pending(), behind({}));
    EXPECT_FALSE(std::get<0>(s));
    EXPECT_EQ(**std::get<1>(s), 2);
    EXPECT_FALSE(std::get<2>(s));
    EXPECT_FALSE(std::get<3>(s));
    auto v = co_await select(nothing());
    EXPECT_TRUE(std::get<0>(v));
  };
  run_to_end(program());
  EXPECT_FALSE(started) << "what comes behind something ready is not even started";
  EXPECT_EQ(counted::live(), 0);
}

TEST(select, gives_every_value_that_came_while_the_others_were_cancelled) {
  world w(on_stop::with_its_value);
  manual_executor loop;
  auto program = [&]() -> task<int> {
    auto s = co_await select(waits(w, 1), waits(w, 2), pending<int>());
    EXPECT_FALSE(std::get<2>(s));
    co_return (std::get<0>(s) ? *std::get<0>(s) : 0) + (std::get<1>(s) ? *std::get<1>(s) : 0);
  };
  test_run run(loop, program());
  run.start();
  w.deliver(2);
  loop.run_until_idle();
  EXPECT_FALSE(run.has_ended());
  w.deliver(1);
  loop.run_until_idle();
  EXPECT_EQ(run.value(), 3);
  EXPECT_EQ(counted::live(), 0);
}

TEST(select, gives_both_values_of_a_tie) {
  world w;
  manual_executor loop;
  auto program = [&]() -> task<int> {
    auto s = co_await select(w.receive(), w.receive());
    int n = 0;
    if (auto& first = std::get<0>(s)) first->accept(), n += 1;
    if (auto& second = std::get<1>(s)) second->accept(), n += 2;
    co_return n;
  };
  test_run run(loop, program());
  run.start();
  w.deliver(2);
  w.deliver(1);
  loop.run_until_idle();
  EXPECT_EQ(run.value(), 3);
  EXPECT_EQ(w.lost(), 0u);
}

TEST(select, gives_the_failure_of_a_branch) {
  auto program = []() -> task<std::error_code> {
    auto r = co_await as_result(select(pending<int>(), fails(std::errc::io_error), gives(1)));
    co_return r.error();
  };
  EXPECT_EQ(run_to_end(program()), std::errc::io_error);
  EXPECT_EQ(counted::live(), 0);
}

TEST(select, when_cancelled_delivers_what_there_is) {
  world w(on_stop::later);
  manual_executor loop;
  int got = 0;
  auto program = [&]() -> task<> {
    auto s = co_await select(waits(w, 1), waits(w, 2));
    got = std::get<1>(s).value_or(0);
    co_await pending();
  };
  test_run run(loop, program());
  run.start();
  w.deliver(2);
  run.request_cancel();
  loop.run_until_idle();
  w.deliver(1);
  loop.run_until_idle();
  EXPECT_EQ(got, 2);
  EXPECT_EQ(run.how(), ending::stopped);
}

TEST(select, when_cancelled_without_a_value_stops) {
  world w;
  manual_executor loop;
  auto program = [&](counted) -> task<> { co_await select(waits(w, 1), waits(w, 2)); };
  test_run run(loop, program({}));
  run.start();
  run.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(counted::live(), 0);
}

TEST(select, that_is_cancelled_while_it_starts_stops) {
  manual_executor loop;
  bool started = false;
  auto asks = [](detail::chain* outer) -> task<> {
    outer->request_cancel();
    co_await pending();
  };
  auto starts = [&]() -> task<> {
    started = true;
    co_return;
  };
  auto program = [&](counted) -> task<> { co_await select(asks(detail::current_chain()), starts()); };
  test_run run(loop, program({}));
  run.start();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_FALSE(started);
  EXPECT_EQ(counted::live(), 0);
}

// The promise of select: whatever happens, and whenever, each value that came is given to somebody.
TEST(select, loses_nothing_anywhere) {
  struct program {
    static void take(std::optional<std::expected<test::parcel, std::error_code>>& p) {
      if (p && *p) (*p)->accept();
    }
    static task<> outer(world& w) {
      counted local;
      for (int i = 0; i != 3; ++i) {
        auto s = co_await select(as_result(w.receive()), as_result(w.receive()), as_result(w.pass()));
        take(std::get<0>(s));
        take(std::get<1>(s));
      }
      auto nested = co_await select(select(as_result(w.receive()), w.pass()), as_result(w.receive()));
      if (auto& inner = std::get<0>(nested)) take(std::get<0>(*inner));
      take(std::get<1>(nested));
    }
  };
  cancel_everywhere([](world& w) { return program::outer(w); }, {.loses_nothing = false},
                    [](const auto& s, const auto& h) {
                      // w.pass() is not wrapped: if it fails, the values beside it go down with the exception.
                      if (!s.fail_at) {
                        EXPECT_EQ(h.lost, 0u);
                      }
                    });
}

}  // namespace
