#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_branches.hpp>
#include <astd/coro/test_loop.hpp>
#include <astd/coro/test_world.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace astd;
using test::cancel_everywhere;
using test::counted;
using test::ending;
using test::fails;
using test::gives;
using test::gives_text;
using test::manual_executor;
using test::moves;
using test::nothing;
using test::on_stop;
using test::refers;
using test::run_to_end;
using test::test_run;
using test::waits;
using test::waits_and_fails;
using test::world;

// Says when it begins and when it ends.
task<int> logs(std::string& log, std::string name, bool for_ever, counted = {}) {
  struct note {
    note(std::string& l, std::string t) : log_(l), text(std::move(t)) { log_ += "+" + text + " "; }
    ~note() { log_ += "-" + text + " "; }
    std::string& log_;
    std::string text;
  };
  note n(log, name);
  if (for_ever) co_await pending();
  co_return static_cast<int>(name.size());
}

template <class... A>
using race_result = await_result_t<decltype(race(std::declval<A>()...))>;
static_assert(std::same_as<race_result<task<int>, task<int>>, int>);
static_assert(std::same_as<race_result<task<>, task<>>, void>);
static_assert(std::same_as<race_result<task<int&>, task<int&>>, int&>);
static_assert(std::same_as<race_result<task<int>, task<>, task<int>>, std::variant<int, std::monostate>>);
static_assert(
    std::same_as<race_result<task<int>, task<long>, task<std::string>>, std::variant<int, long, std::string>>);

TEST(race, gives_the_first) {
  auto program = []() -> task<int> {
    auto a = co_await race(gives(1));
    auto b = co_await race(pending<int>(), gives(2), pending<int>());
    auto c = co_await race(ready(3), gives(4));
    co_return a * 100 + b * 10 + c;
  };
  EXPECT_EQ(run_to_end(program()), 123);
  EXPECT_EQ(counted::live(), 0);
}

TEST(race, gives_results_of_every_kind) {
  int n = 1;
  auto program = [&]() -> task<> {
    co_await race(pending(), nothing());
    int& r = co_await race(refers(n), refers(n));
    EXPECT_EQ(&r, &n);
    auto p = co_await race(moves(2), pending<std::unique_ptr<int>>());
    EXPECT_EQ(*p, 2);
    auto text = co_await race(gives_text("x"), gives(1));
    EXPECT_EQ(std::get<std::string>(text), "x");
    auto nothing_won = co_await race(pending<int>(), nothing());
    EXPECT_EQ(nothing_won.index(), 1u);
    // The same type twice has one place.
    auto third = co_await race(pending<int>(), pending<std::string>(), gives(7));
    EXPECT_EQ(std::get<int>(third), 7);
    auto won = co_await race(pending<const char*>(), gives_text("y"), pending<bool>());
    EXPECT_EQ(std::get<std::string>(won), "y");
  };
  run_to_end(program());
}

TEST(race, of_a_range) {
  auto program = []() -> task<int> {
    std::vector<task<int>> tasks;
    std::string log;
    tasks.push_back(logs(log, "a", true));
    tasks.push_back(gives(2));
    tasks.push_back(logs(log, "never started", false));
    auto v = co_await race(std::move(tasks));
    EXPECT_EQ(log, "+a -a ");
    std::vector<task<>> voids;
    voids.push_back(nothing());
    co_await race(std::move(voids));
    co_return v;
  };
  EXPECT_EQ(run_to_end(program()), 2);
  EXPECT_EQ(counted::live(), 0);
}

TEST(race, of_an_empty_range_never_ends_but_can_be_cancelled) {
  for (const bool only_success : {false, true}) {
    manual_executor loop;
    auto program = [&](counted) -> task<> {
      if (only_success)
        co_await try_race(std::vector<task<int>>());
      else
        co_await race(std::vector<task<int>>());
    };
    test_run run(loop, program({}));
    run.start();
    EXPECT_EQ(loop.run_until_idle(), 0u);
    EXPECT_FALSE(run.has_ended());
    run.request_cancel();
    loop.run_until_idle();
    EXPECT_EQ(run.how(), ending::stopped);
    test_run early(loop, program({}));
    early.request_cancel();
    early.start();
    loop.run_until_idle();
    EXPECT_EQ(early.how(), ending::stopped);
  }
  EXPECT_EQ(counted::live(), 0);
  auto loses = []() -> task<int> {
    auto v = co_await race(race(std::vector<task<int>>()), gives(1));
    co_return v;
  };
  EXPECT_EQ(run_to_end(loses()), 1);
}

TEST(race, at_a_tie_is_won_by_the_first_and_never_starts_those_behind) {
  std::string log;
  auto program = [&]() -> task<int> {
    auto v = co_await race(logs(log, "a", true), logs(log, "bb", false), logs(log, "ccc", false));
    log += "| ";
    co_return v;
  };
  EXPECT_EQ(run_to_end(program()), 2);
  EXPECT_EQ(log, "+a +bb -bb -a | ");
  EXPECT_EQ(counted::live(), 0);
}

TEST(race, waits_for_the_losers) {
  world w(on_stop::later);
  manual_executor loop;
  auto program = [&]() -> task<int> {
    auto v = co_await race(waits(w, 1), waits(w, 2), waits(w, 3));
    EXPECT_EQ(counted::live(), 0) << "no loser, and no winner, is left";
    co_return v;
  };
  test_run run(loop, program());
  run.start();
  w.deliver(2);
  loop.run_until_idle();
  EXPECT_FALSE(run.has_ended());
  w.deliver(3);
  loop.run_until_idle();
  EXPECT_FALSE(run.has_ended());
  w.deliver(1);
  loop.run_until_idle();
  EXPECT_EQ(run.value(), 2);
}

TEST(race, is_lost_by_what_ends_while_it_is_being_cancelled) {
  world w(on_stop::with_its_value);
  manual_executor loop;
  auto program = [&]() -> task<int> {
    auto v = co_await race(waits(w, 1), waits(w, 2));
    co_return v;
  };
  test_run run(loop, program());
  run.start();
  w.deliver(2);
  w.deliver(1);
  loop.run_until_idle();
  // The second to be delivered runs first: it was put in front of the queue.
  EXPECT_EQ(run.value(), 1);
  EXPECT_EQ(counted::live(), 0);
}

TEST(race, gives_the_failure_of_the_first_to_end) {
  auto program = []() -> task<std::error_code> {
    auto r = co_await as_result(race(pending<int>(), fails(std::errc::io_error), gives(1)));
    co_return r.error();
  };
  EXPECT_EQ(run_to_end(program()), std::errc::io_error);
  auto throwing = []() -> task<int> {
    throw std::runtime_error("thrown");
    co_return 0;
  };
  auto range = [&]() -> task<std::string> {
    std::vector<task<int>> tasks;
    tasks.push_back(throwing());
    tasks.push_back(gives(1));
    try {
      co_await race(std::move(tasks));
    } catch (const std::runtime_error& e) {
      co_return e.what();
    }
    co_return "";
  };
  EXPECT_EQ(run_to_end(range()), "thrown");
  EXPECT_EQ(counted::live(), 0);
}

TEST(race, when_cancelled_cancels_all) {
  world w(on_stop::later);
  manual_executor loop;
  auto program = [&](counted) -> task<> { co_await race(waits(w, 1), waits(w, 2)); };
  test_run run(loop, program({}));
  run.start();
  run.request_cancel();
  w.deliver();
  loop.run_until_idle();
  EXPECT_FALSE(run.has_ended());
  w.deliver();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(counted::live(), 0);
}

TEST(race, when_cancelled_delivers_a_winner_that_was_known) {
  world w(on_stop::later);
  manual_executor loop;
  int got = 0;
  auto program = [&]() -> task<> {
    auto v = co_await race(waits(w, 1), waits(w, 2));
    got = v;
    co_await pending();
  };
  test_run run(loop, program());
  run.start();
  w.deliver(2);
  loop.run_until_idle();
  run.request_cancel();
  w.deliver(1);
  loop.run_until_idle();
  EXPECT_EQ(got, 2);
  EXPECT_EQ(run.how(), ending::stopped);
}

// Branches that were never started have no outcome: they must not be taken for winners.
TEST(race, that_is_cancelled_while_it_starts_stops) {
  manual_executor loop;
  int started = 0;
  auto asks = [&](detail::chain* outer, counted) -> task<int> {
    ++started;
    outer->request_cancel();
    co_await pending();
    co_return 1;
  };
  auto program = [&](bool range, counted) -> task<> {
    detail::chain* const outer = detail::current_chain();
    if (range) {
      std::vector<task<int>> tasks;
      for (int i = 0; i != 3; ++i) tasks.push_back(asks(outer, {}));
      co_await try_race(std::move(tasks));
    } else {
      co_await race(asks(outer, {}), asks(outer, {}), gives(1));
    }
  };
  for (const bool range : {false, true}) {
    test_run run(loop, program(range, {}));
    run.start();
    EXPECT_EQ(run.how(), ending::stopped);
    EXPECT_EQ(counted::live(), 0);
  }
  EXPECT_EQ(started, 2);
}

TEST(race, goes_on_without_a_branch_that_stopped_itself) {
  auto stops_itself = [](counted) -> task<int> {
    detail::current_chain()->request_cancel();
    co_await pending();
    co_return 1;
  };
  manual_executor loop;
  auto one_left = [&]() -> task<int> {
    auto v = co_await race(stops_itself({}), gives(2));
    co_return v;
  };
  EXPECT_EQ(run_to_end(one_left()), 2);
  auto none_left = [&]() -> task<> { co_await race(stops_itself({}), stops_itself({})); };
  test_run run(loop, none_left());
  run.start();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(counted::live(), 0);
}

TEST(try_race, gives_the_first_success) {
  world w;
  manual_executor loop;
  auto program = [&]() -> task<int> {
    auto v = co_await try_race(waits_and_fails(w, std::errc::io_error), waits(w, 2), waits(w, 3));
    co_return v;
  };
  test_run run(loop, program());
  run.start();
  w.deliver(1);
  loop.run_until_idle();
  EXPECT_EQ(w.waiting(), 2u) << "a failure does not end it";
  w.deliver(3);
  loop.run_until_idle();
  EXPECT_EQ(run.value(), 3);
  EXPECT_EQ(counted::live(), 0);
}

TEST(try_race, gives_the_last_failure_if_all_fail) {
  world w;
  manual_executor loop;
  auto program = [&]() -> task<std::error_code> {
    auto r = co_await as_result(try_race(waits_and_fails(w, std::errc::io_error),
                                         waits_and_fails(w, std::errc::timed_out), fails(std::errc::bad_address)));
    co_return r.error();
  };
  test_run run(loop, program());
  run.start();
  w.deliver(2);
  loop.run_until_idle();
  w.deliver(1);
  loop.run_until_idle();
  EXPECT_EQ(run.value(), std::errc::io_error);
  auto range = []() -> task<std::error_code> {
    std::vector<task<int>> tasks;
    tasks.push_back(fails(std::errc::io_error));
    tasks.push_back(fails(std::errc::timed_out));
    auto r = co_await as_result(try_race(std::move(tasks)));
    co_return r.error();
  };
  EXPECT_EQ(run_to_end(range()), std::errc::timed_out);
  EXPECT_EQ(counted::live(), 0);
}

TEST(try_race, if_some_fail_and_the_rest_is_stopped_gives_the_failure) {
  auto stops_itself = []() -> task<int> {
    detail::current_chain()->request_cancel();
    co_await pending();
    co_return 1;
  };
  auto program = [&]() -> task<std::error_code> {
    auto r = co_await as_result(try_race(fails(std::errc::io_error), stops_itself()));
    co_return r.error();
  };
  EXPECT_EQ(run_to_end(program()), std::errc::io_error);
}

// Had it not been cancelled, it might have had a value.
TEST(try_race, that_is_cancelled_behind_a_failure_is_stopped) {
  world w;
  manual_executor loop;
  auto program = [&](counted) -> task<> {
    co_await try_race(fails(std::errc::io_error), waits(w, 2), waits_and_fails(w, std::errc::io_error));
  };
  test_run run(loop, program({}));
  run.start();
  w.deliver(2);
  loop.run_until_idle();
  run.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(counted::live(), 0);
}

TEST(try_race, when_cancelled_gives_the_failure_of_all_that_was_known) {
  manual_executor loop;
  detail::chain* outer = nullptr;
  auto asks = [&]() -> task<int> {
    outer->request_cancel();
    co_await fail(std::errc::io_error);
    co_return 0;
  };
  auto program = [&]() -> task<> {
    outer = detail::current_chain();
    auto r = co_await as_result(try_race(fails(std::errc::timed_out), asks()));
    EXPECT_FALSE(r);
    EXPECT_EQ(r.error(), std::errc::io_error);
  };
  test_run run(loop, program());
  run.start();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::value);
}

TEST(race, is_an_awaitable_that_can_wait) {
  auto program = []() -> task<int> {
    auto later = race(gives(1), gives(2));
    auto moved = std::move(later);
    auto v = co_await std::move(moved);
    co_return v;
  };
  EXPECT_EQ(run_to_end(program()), 1);
  {
    auto never = race(gives(1), gives(2));
  }
  EXPECT_EQ(counted::live(), 0);
}

TEST(race, can_be_cancelled_and_fail_everywhere) {
  struct program {
    static task<std::size_t> passes(world& w, int times, counted) {
      for (int i = 0; i != times; ++i) co_await w.pass();
      co_return w.started();
    }
    static task<> outer(world& w) {
      counted local;
      auto a = co_await race(passes(w, 2, {}), w.pass(), passes(w, 1, {}));
      if (a.index() == 0) co_await w.pass();
      std::vector<task<std::size_t>> many;
      for (int i = 0; i != 3; ++i) many.push_back(passes(w, i + 1, {}));
      auto b = co_await as_result(try_race(std::move(many)));
      if (b) co_await w.pass();
      auto nested = co_await as_result(race(join(passes(w, 1, {}), w.pass()),
                                            try_race(passes(w, 2, {}), race(passes(w, 3, {}), passes(w, 1, {})))));
      if (nested) co_await w.pass();
    }
  };
  cancel_everywhere([](world& w) { return program::outer(w); });
}

// Who receives first, receives: whatever is on its way when the race is decided is not given out by it.
TEST(race, delivers_the_winner_however_it_is_cancelled) {
  cancel_everywhere([](world& w) -> task<> {
    auto p = co_await race(w.receive(), pending<test::parcel>());
    p.accept();
    co_await w.pass();
  });
}

}  // namespace
