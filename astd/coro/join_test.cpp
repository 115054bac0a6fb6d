#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/poll_fn.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/shield.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_branches.hpp>
#include <astd/coro/test_loop.hpp>
#include <astd/coro/test_world.hpp>

#include <gtest/gtest.h>

#include <array>
#include <concepts>
#include <list>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
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
using test::parcel;
using test::refers;
using test::run_to_end;
using test::test_run;
using test::waits;
using test::waits_and_fails;
using test::world;

task<int> throws(const char* what, counted = {}) {
  throw std::runtime_error(what);
  co_return 0;
}

static_assert(std::same_as<await_result_t<decltype(join(gives(1), nothing(), gives_text("")))>,
                           std::tuple<int, std::monostate, std::string>>);
static_assert(
    std::same_as<await_result_t<decltype(join(std::declval<std::vector<task<>>>()))>, std::vector<std::monostate>>);

TEST(join, gives_all_values) {
  int n = 3;
  auto program = [&]() -> task<int> {
    auto all = co_await join(gives(1), nothing(), moves(2), refers(n), ready(4), gives_text("text"));
    EXPECT_EQ(&std::get<3>(all), &n);
    EXPECT_EQ(std::get<5>(all), "text");
    auto one = co_await join(gives(5));
    co_return std::get<0>(all) + *std::get<2>(all) + std::get<3>(all) + std::get<4>(all) + std::get<0>(one);
  };
  EXPECT_EQ(run_to_end(program()), 15);
  EXPECT_EQ(counted::live(), 0);
}

TEST(join, of_a_range_gives_a_vector) {
  auto program = [](int n) -> task<int> {
    std::vector<task<int>> tasks;
    for (int i = 0; i != n; ++i) tasks.push_back(gives(i));
    auto all = co_await join(std::move(tasks));
    EXPECT_EQ(all.size(), static_cast<std::size_t>(n));
    int sum = 0;
    for (int i = 0; i != n; ++i) sum += all[static_cast<std::size_t>(i)] == i;
    co_return sum;
  };
  for (int n : {0, 1, 2, 1000}) EXPECT_EQ(run_to_end(program(n)), n);
  EXPECT_EQ(counted::live(), 0);
}

TEST(join, takes_ranges_of_many_kinds) {
  auto program = []() -> task<std::string> {
    std::string log;
    std::array<task<>, 2> a{nothing(), nothing()};
    auto voids = co_await join(std::move(a));
    log += std::to_string(voids.size());
    std::list<task<std::string>> l;
    l.push_back(gives_text("x"));
    l.push_back(gives_text("y"));
    auto texts = co_await join(std::move(l));
    log += texts[0] + texts[1];
    // Made while they are walked through.
    const std::array<int, 3> numbers{1, 2, 3};
    auto made = co_await join(numbers | std::views::transform([](int n) { return moves(n); }));
    for (auto& p : made) log += std::to_string(*p);
    // Elements of an lvalue range are referred to.
    world w;
    std::vector<test::operation<void>> operations(2, w.pass());
    w.at_once(1);
    auto ops = co_await join(operations);
    log += std::to_string(ops.size());
    co_return log;
  };
  EXPECT_EQ(run_to_end(program()), "2xy1232");
}

TEST(join, is_an_awaitable_that_can_wait) {
  auto program = []() -> task<int> {
    auto later = join(gives(1), gives(2));
    auto moved = std::move(later);
    auto both = co_await std::move(moved);
    std::vector<task<int>> tasks;
    tasks.push_back(gives(3));
    auto range = join(std::move(tasks));
    auto also = std::move(range);
    auto one = co_await std::move(also);
    co_return std::get<0>(both) + std::get<1>(both) + one[0];
  };
  EXPECT_EQ(run_to_end(program()), 6);
  {
    auto never = join(gives(1), gives(2));
  }
  EXPECT_EQ(counted::live(), 0);
}

TEST(join, refers_to_lvalues) {
  world w;
  w.at_once(1);
  auto program = [&]() -> task<std::size_t> {
    auto op = w.receive();
    auto both = co_await join(op, op);
    std::get<0>(both).accept();
    std::get<1>(both).accept();
    co_return std::get<0>(both).number() + std::get<1>(both).number();
  };
  EXPECT_EQ(run_to_end(program()), 3u);
}

TEST(join, runs_its_branches_together) {
  world w;
  manual_executor loop;
  auto program = [&]() -> task<int> {
    auto all = co_await join(waits(w, 1), waits(w, 2), waits(w, 3));
    co_return std::get<0>(all) * 100 + std::get<1>(all) * 10 + std::get<2>(all);
  };
  test_run run(loop, program());
  run.start();
  EXPECT_EQ(w.waiting(), 3u);
  for (std::size_t n : {2, 3, 1}) {
    EXPECT_FALSE(run.has_ended());
    w.deliver(n);
    loop.run_until_idle();
  }
  EXPECT_EQ(run.value(), 123);
}

TEST(join, throws_the_failure_that_came_first_when_all_have_ended) {
  world w;
  manual_executor loop;
  auto program = [&]() -> task<> {
    co_await join(waits_and_fails(w, std::errc::timed_out), waits(w, 2), waits_and_fails(w, std::errc::io_error));
  };
  test_run run(loop, program());
  run.start();
  w.deliver(3);
  loop.run_until_idle();
  EXPECT_FALSE(run.has_ended()) << "all have to end";
  w.deliver(1);
  loop.run_until_idle();
  EXPECT_FALSE(run.has_ended());
  w.deliver(2);
  loop.run_until_idle();
  ASSERT_EQ(run.how(), ending::exception);
  try {
    run.value();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::io_error);
  }
  EXPECT_EQ(counted::live(), 0);
}

TEST(join, gives_failures_as_failures_and_exceptions_as_exceptions) {
  auto result = []() -> task<std::error_code> {
    auto r = co_await as_result(join(gives(1), fails(std::errc::timed_out), throws("later")));
    co_return r.error();
  };
  EXPECT_EQ(run_to_end(result()), std::errc::timed_out);
  auto exception = []() -> task<std::string> {
    try {
      co_await join(throws("first"), fails(std::errc::timed_out));
    } catch (const std::runtime_error& e) {
      co_return e.what();
    }
    co_return "";
  };
  EXPECT_EQ(run_to_end(exception()), "first");
  auto range = []() -> task<std::error_code> {
    std::vector<task<int>> tasks;
    tasks.push_back(gives(1));
    tasks.push_back(fails(std::errc::timed_out));
    auto r = co_await as_result(join(std::move(tasks)));
    co_return r.error();
  };
  EXPECT_EQ(run_to_end(range()), std::errc::timed_out);
  EXPECT_EQ(counted::live(), 0);
}

TEST(join, when_cancelled_cancels_all_and_waits_for_them) {
  world w(on_stop::later);
  manual_executor loop;
  auto program = [&](counted) -> task<> { co_await join(waits(w, 1), waits(w, 2), pending()); };
  test_run run(loop, program({}));
  run.start();
  run.request_cancel();
  loop.run_until_idle();
  w.deliver(2);
  loop.run_until_idle();
  EXPECT_FALSE(run.has_ended());
  w.deliver(1);
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(counted::live(), 0);
}

TEST(join, when_cancelled_delivers_if_all_had_their_values) {
  world w(on_stop::with_its_value);
  manual_executor loop;
  bool got = false;
  auto program = [&]() -> task<> {
    co_await join(waits(w, 1), waits(w, 2));
    got = true;
    co_await pending();
  };
  test_run run(loop, program());
  run.start();
  run.request_cancel();
  while (w.deliver()) loop.run_until_idle();
  EXPECT_TRUE(got);
  EXPECT_EQ(run.how(), ending::stopped);
}

TEST(join, stops_its_chain_if_a_branch_stopped_itself) {
  world w;
  manual_executor loop;
  auto stops_itself = [](counted) -> task<int> {
    detail::current_chain()->request_cancel();
    co_await pending();
    co_return 1;
  };
  auto program = [&](counted) -> task<> { co_await join(stops_itself({}), waits(w, 2)); };
  test_run run(loop, program({}));
  run.start();
  EXPECT_FALSE(run.has_ended()) << "the other goes on";
  w.deliver(1);
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(counted::live(), 0);
}

TEST(join, that_is_cancelled_while_it_starts_stops) {
  manual_executor loop;
  bool started = false;
  auto asks = [](detail::chain* outer) -> task<> {
    outer->request_cancel();
    co_return;
  };
  auto starts = [&]() -> task<> {
    started = true;
    co_return;
  };
  auto program = [&](counted) -> task<> { co_await join(asks(detail::current_chain()), starts()); };
  test_run run(loop, program({}));
  run.start();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_FALSE(started);
  EXPECT_EQ(counted::live(), 0);
}

TEST(join, nests) {
  auto program = []() -> task<int> {
    auto all =
        co_await join(join(gives(1), join(gives(2))), as_result(join(gives(3), fails(std::errc::timed_out))));
    const auto& left = std::get<0>(all);
    co_return std::get<0>(left) * 10 + std::get<0>(std::get<1>(left)) + (std::get<1>(all) ? 100 : 0);
  };
  EXPECT_EQ(run_to_end(program()), 12);
}

// What asks which chain it is in (task locals do) must not see the branch before it.
TEST(join, begins_each_branch_in_a_chain_of_its_own) {
  std::vector<detail::chain*> seen;
  auto sees = [&]() -> task<> {
    seen.push_back(detail::current_chain());
    co_return;
  };
  auto program = [&]() -> task<> {
    seen.push_back(detail::current_chain());
    co_await join(poll_fn([&](const waker&) {
                    seen.push_back(detail::current_chain());
                    return true;
                  }),
                  sees(), poll_fn([&](const waker&) {
                    seen.push_back(detail::current_chain());
                    return true;
                  }));
    seen.push_back(detail::current_chain());
    co_await finally(sees(), [&] {
      seen.push_back(detail::current_chain());
      return poll_fn([&](const waker&) {
        seen.push_back(detail::current_chain());
        return true;
      });
    });
  };
  manual_executor loop;
  test_run run(loop, program());
  run.start();
  ASSERT_EQ(seen.size(), 8u);
  detail::chain* const outer = seen[0];
  EXPECT_EQ(outer, &run.as_chain());
  EXPECT_TRUE(seen[1] != outer && seen[2] != outer && seen[3] != outer);
  EXPECT_TRUE(seen[1] != seen[2] && seen[2] != seen[3] && seen[1] != seen[3]);
  EXPECT_EQ(seen[4], outer);
  EXPECT_EQ(seen[6], outer) << "the cleanup is made outside of the body";
  EXPECT_TRUE(seen[7] != outer && seen[7] != seen[5]);
  detail::set_current_chain(nullptr);
}

TEST(try_join, gives_all_values) {
  auto program = []() -> task<int> {
    auto all = co_await try_join(gives(1), gives(2));
    std::vector<task<int>> tasks;
    tasks.push_back(gives(3));
    auto range = co_await try_join(std::move(tasks));
    auto none = co_await try_join(std::vector<task<int>>());
    co_return std::get<0>(all) + std::get<1>(all) + range[0] + static_cast<int>(none.size());
  };
  EXPECT_EQ(run_to_end(program()), 6);
}

TEST(try_join, cancels_the_rest_at_the_first_failure_and_waits_for_it) {
  world w(on_stop::later);
  manual_executor loop;
  auto program = [&]() -> task<> {
    co_await try_join(waits(w, 1), waits_and_fails(w, std::errc::io_error), pending<int>(), waits(w, 3));
  };
  test_run run(loop, program());
  run.start();
  w.deliver(2);
  loop.run_until_idle();
  EXPECT_FALSE(run.has_ended());
  EXPECT_EQ(w.waiting(), 2u);
  w.deliver(1);
  w.deliver(3);
  loop.run_until_idle();
  ASSERT_EQ(run.how(), ending::exception);
  EXPECT_EQ(counted::live(), 0);
}

TEST(try_join, does_not_start_what_comes_behind_a_failure) {
  bool started = false;
  auto sets = [&](counted) -> task<int> {
    started = true;
    co_return 1;
  };
  auto program = [&]() -> task<std::error_code> {
    auto r = co_await as_result(try_join(gives(1), fails(std::errc::io_error), sets({})));
    co_return r.error();
  };
  EXPECT_EQ(run_to_end(program()), std::errc::io_error);
  EXPECT_FALSE(started);
  auto range = [&]() -> task<std::error_code> {
    std::vector<task<int>> tasks;
    tasks.push_back(fails(std::errc::io_error));
    tasks.push_back(sets({}));
    auto r = co_await as_result(try_join(std::move(tasks)));
    co_return r.error();
  };
  EXPECT_EQ(run_to_end(range()), std::errc::io_error);
  EXPECT_FALSE(started);
  EXPECT_EQ(counted::live(), 0);
}

TEST(try_join, has_destroyed_the_frames_of_the_others_when_it_throws) {
  std::string log;
  struct note {
    note(std::string& l, const char* t) : log(l), text(t) {}
    ~note() { log += text; }
    std::string& log;
    const char* text;
  };
  auto never = [&]() -> task<int> {
    note n(log, "a ");
    co_await pending();
    co_return 1;
  };
  auto program = [&]() -> task<> {
    auto r = co_await as_result(try_join(never(), fails(std::errc::io_error)));
    log += r ? "value" : "error";
  };
  run_to_end(program());
  EXPECT_EQ(log, "a error");
}

TEST(join, can_be_cancelled_and_fail_everywhere) {
  struct program {
    static task<std::size_t> receives(world& w, counted) {
      auto p = co_await w.receive();
      p.accept();
      co_await w.pass();
      co_return p.number();
    }
    static task<> outer(world& w) {
      counted local;
      auto all = co_await join(receives(w, {}), w.pass(), receives(w, {}));
      EXPECT_NE(std::get<0>(all), std::get<2>(all));
      std::vector<task<std::size_t>> many;
      for (int i = 0; i != 3; ++i) many.push_back(receives(w, {}));
      auto r = co_await as_result(try_join(std::move(many)));
      if (r) co_await w.pass();
      auto nested = co_await as_result(join(try_join(receives(w, {}), w.pass()), receives(w, {})));
      if (nested) co_await w.pass();
    }
  };
  cancel_everywhere([](world& w) { return program::outer(w); });
}

// What has been received but not yet handed over goes down with the chain: there is nobody to give it to.
TEST(join, loses_values_only_when_it_is_cancelled_or_fails) {
  cancel_everywhere(
      [](world& w) -> task<> {
        auto all = co_await join(w.receive(), w.receive());
        std::get<0>(all).accept();
        std::get<1>(all).accept();
      },
      {.loses_nothing = false},
      [](const auto& s, const auto& h) {
        if (h.how == ending::value) {
          EXPECT_EQ(h.lost, 0u);
          EXPECT_EQ(h.accepted, 2u);
        }
        if (s.cancel_at == SIZE_MAX && !s.fail_at) {
          EXPECT_EQ(h.how, ending::value);
        }
      });
}

}  // namespace
