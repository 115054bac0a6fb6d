#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/lost.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/shield.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>
#include <astd/coro/test_world.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using test::cancel_everywhere;
using test::counted;
using test::ending;
using test::manual_executor;
using test::on_stop;
using test::run_to_end;
using test::test_run;
using test::world;

enum class how { value, failure, exception, never, stops_itself };

task<std::unique_ptr<int>> body(how h, world& w, counted = {}) {
  co_await w.pass();
  if (h == how::failure) co_await fail(std::errc::io_error);
  if (h == how::exception) throw std::runtime_error("body");
  if (h == how::stops_itself) detail::current_chain()->request_cancel();
  if (h == how::never || h == how::stops_itself) co_await pending();
  co_return std::make_unique<int>(1);
}

// What reached the handler of lost exceptions.
class lost_ones {
 public:
  lost_ones() : before_(set_lost_exception_handler(&keep)) { kept_.clear(); }
  lost_ones(const lost_ones&) = delete;
  ~lost_ones() { set_lost_exception_handler(before_); }
  [[nodiscard]] const std::vector<std::string>& texts() const { return kept_; }

 private:
  static void keep(std::exception_ptr e, std::string_view whose) noexcept {
    char text[256];
    detail::describe_exception(e, text, sizeof text);
    kept_.push_back(std::string(whose) + ": " + text);
  }
  static inline std::vector<std::string> kept_;
  lost_exception_handler before_;
};

TEST(shield, gives_the_outcome) {
  world w;
  w.at_once(1);
  int n = 0;
  auto refer = [](int& r) -> task<int&> { co_return r; };
  auto nothing = []() -> task<> { co_return; };
  auto program = [&]() -> task<int> {
    auto p = co_await shield(body(how::value, w));
    int& r = co_await shield(refer(n));
    r = 2;
    co_await shield(nothing());
    auto now = co_await shield(ready(4));
    co_return *p + n + now;
  };
  EXPECT_EQ(run_to_end(program()), 7);
  auto fails = [&](how h) -> task<> { co_await shield(body(h, w)); };
  EXPECT_THROW(run_to_end(fails(how::exception)), std::runtime_error);
  EXPECT_THROW(run_to_end(fails(how::failure)), astd::system_error);
  EXPECT_EQ(counted::live(), 0);
}

TEST(shield, is_not_reached_by_a_request_and_delivers_before_the_chain_stops) {
  world w;
  manual_executor loop;
  int got = 0;
  auto program = [&](counted) -> task<> {
    auto p = co_await shield(body(how::value, w));
    got = *p;
    co_await ready();
    got = 2;
    co_await w.pass();
    got = 3;
  };
  test_run run(loop, program({}));
  run.start();
  run.request_cancel();
  EXPECT_EQ(loop.run_until_idle(), 0u);
  EXPECT_FALSE(run.has_ended());
  EXPECT_EQ(w.waiting(), 1u);
  w.deliver();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(got, 2);
  EXPECT_EQ(counted::live(), 0);
}

TEST(shield, runs_even_if_a_stop_was_requested_before) {
  world w;
  manual_executor loop;
  auto program = [&]() -> task<int> {
    auto p = co_await shield(body(how::value, w));
    co_return *p;
  };
  test_run run(loop, program());
  run.request_cancel();
  run.start();
  w.deliver();
  loop.run_until_idle();
  EXPECT_EQ(run.value(), 1);
}

TEST(shield, within_a_race_holds_it_up) {
  world w;
  manual_executor loop;
  auto program = [&]() -> task<bool> {
    auto r = co_await race(shield(body(how::value, w)), w.pass());
    co_return r.index() == 1;
  };
  test_run run(loop, program());
  run.start();
  w.deliver(2);
  loop.run_until_idle();
  EXPECT_FALSE(run.has_ended());
  w.deliver(1);
  loop.run_until_idle();
  EXPECT_TRUE(run.value());
}

TEST(shield, stops_its_chain_if_the_body_stopped_itself) {
  world w;
  w.at_once(1);
  manual_executor loop;
  bool went_on = false;
  auto program = [&](counted) -> task<> {
    auto r = co_await as_result(shield(body(how::stops_itself, w)));
    went_on = true;
  };
  test_run run(loop, program({}));
  run.start();
  EXPECT_EQ(run.how(), ending::stopped) << "stopping is no error, and nobody can take it for one";
  EXPECT_FALSE(went_on);
  EXPECT_EQ(counted::live(), 0);
}

static_assert(awaitable<decltype(finally(ready(), std::declval<task<> (&)()>()))>,
              "a plain function cleans up, too");

TEST(finally, runs_its_cleanup_however_the_body_ends) {
  for (const how h : {how::value, how::failure, how::exception, how::never, how::stops_itself}) {
    world w;
    manual_executor loop;
    std::string log;
    auto cleanup = [&]() -> task<> {
      log += "cleanup ";
      co_await w.pass();
      log += "done ";
    };
    auto program = [&](counted) -> task<> {
      auto p = co_await finally(body(h, w), cleanup);
      log += *p == 1 ? "value" : "?";
    };
    test_run run(loop, program({}));
    run.start();
    w.deliver();
    loop.run_until_idle();
    if (h == how::never) {
      EXPECT_EQ(log, "");
      run.request_cancel();
      loop.run_until_idle();
    }
    EXPECT_EQ(log, "cleanup ");
    EXPECT_FALSE(run.has_ended());
    run.request_cancel();
    EXPECT_EQ(loop.run_until_idle(), 0u) << "the cleanup is shielded";
    EXPECT_EQ(w.waiting(), 1u);
    w.deliver();
    loop.run_until_idle();
    EXPECT_EQ(log, h == how::value ? "cleanup done value" : "cleanup done ");
    const ending expected = h == how::value                            ? ending::value
                            : h == how::failure || h == how::exception ? ending::exception
                                                                       : ending::stopped;
    EXPECT_EQ(run.how(), expected);
    EXPECT_EQ(counted::live(), 0);
  }
}

TEST(finally, destroys_the_bodys_frame_before_the_cleanup_and_the_awaiters_behind_it) {
  std::string log;
  struct note {
    note(std::string& l, const char* t) : log_(l), text(t) {}
    ~note() { log_ += text; }
    std::string& log_;
    const char* text;
  };
  auto never = [&]() -> task<> {
    note n(log, "body ");
    co_await pending();
  };
  auto cleanup = [&]() -> task<> {
    note n(log, "cleanup ");
    co_await ready();
  };
  auto program = [&]() -> task<> {
    note n(log, "awaiter ");
    co_await finally(never(), cleanup);
  };
  manual_executor loop;
  test_run run(loop, program());
  run.start();
  run.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(log, "body cleanup awaiter ");
}

TEST(finally, runs_its_cleanup_but_not_its_body_if_a_stop_was_requested_before) {
  world w;
  manual_executor loop;
  int cleanups = 0;
  auto cleanup = [&]() -> task<> {
    co_await w.pass();
    ++cleanups;
  };
  bool ran = false;
  auto sets = [&](counted) -> task<> {
    ran = true;
    co_return;
  };
  auto program = [&](counted) -> task<> { co_await finally(sets({}), cleanup); };
  test_run run(loop, program({}));
  run.request_cancel();
  run.start();
  w.deliver();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_FALSE(ran);
  EXPECT_EQ(cleanups, 1);
  EXPECT_EQ(counted::live(), 0);
}

TEST(finally, throws_the_cleanups_failure_if_the_body_had_none_else_reports_it) {
  world w;
  w.at_once(1);
  auto failing = []() -> task<> { co_await fail({std::make_error_code(std::errc::timed_out), "close", "it"}); };
  auto throwing = []() -> task<> {
    throw std::runtime_error("cleanup");
    co_return;
  };
  // Throws before there is anything to await.
  auto making = [](bool b = true) -> task<> {
    if (b) throw std::runtime_error("making");
    return task<>();
  };
  auto program = [&](how h, int which) -> task<std::string> {
    try {
      if (which == 0) {
        auto p = co_await finally(body(h, w), failing);
      } else if (which == 1) {
        auto p = co_await finally(body(h, w), throwing);
      } else {
        auto p = co_await finally(body(h, w), making);
      }
    } catch (const astd::system_error& e) {
      co_return std::string(e.failure().subject());
    } catch (const std::exception& e) {
      co_return e.what();
    }
    co_return "value";
  };
  {
    lost_ones lost;
    EXPECT_EQ(run_to_end(program(how::value, 0)), "close it");
    EXPECT_EQ(run_to_end(program(how::value, 1)), "cleanup");
    EXPECT_EQ(run_to_end(program(how::value, 2)), "making");
    EXPECT_TRUE(lost.texts().empty());
  }
  {
    lost_ones lost;
    EXPECT_EQ(run_to_end(program(how::exception, 0)), "body");
    EXPECT_EQ(run_to_end(program(how::exception, 1)), "body");
    EXPECT_EQ(run_to_end(program(how::exception, 2)), "body");
    ASSERT_EQ(lost.texts().size(), 3u);
    EXPECT_NE(lost.texts()[0].find("a cleanup: astd::system_error: close it"), std::string::npos)
        << lost.texts()[0];
    EXPECT_EQ(lost.texts()[1], "a cleanup: std::runtime_error: cleanup");
    EXPECT_EQ(lost.texts()[2], "a cleanup: std::runtime_error: making");
  }
  for (int which : {0, 1, 2}) {
    lost_ones lost;
    manual_executor loop;
    test_run run(loop, program(how::never, which));
    run.start();
    run.request_cancel();
    loop.run_until_idle();
    EXPECT_EQ(run.how(), ending::stopped);
    EXPECT_EQ(lost.texts().size(), 1u);
  }
  EXPECT_EQ(counted::live(), 0);
}

TEST(finally, keeps_what_its_cleanup_holds) {
  auto held = std::make_shared<int>(0);
  auto program = [&]() -> task<int> {
    auto count = [p = held, c = counted()]() -> task<> {
      ++*p;
      co_return;
    };
    auto f = finally(ready(3), count);
    auto v = co_await std::move(f);
    co_return v;
  };
  EXPECT_EQ(run_to_end(program()), 3);
  EXPECT_EQ(*held, 1);
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(counted::live(), 0);
}

TEST(shield_and_finally, can_be_cancelled_and_fail_everywhere) {
  struct program {
    static task<> receives(world& w, counted) {
      auto p = co_await w.receive();
      p.accept();
      co_await w.pass();
    }
    static task<> outer(world& w, int& balance) {
      counted local;
      auto opens = [&]() -> task<> {
        co_await w.pass();
        ++balance;
        co_await finally(receives(w, {}), [&]() -> task<> {
          co_await as_result(w.pass());
          --balance;
        });
      };
      auto o = co_await as_result(opens());
      if (o) co_await w.pass();
      auto s = co_await as_result(shield(opens()));
      auto p = co_await shield(as_result(w.receive()));
      if (p) p->accept();
      auto r = co_await as_result(race(opens(), shield(receives(w, {}))));
      if (s && r) co_await w.pass();
      auto j = co_await as_result(join(opens(), shield(opens())));
      if (j) co_await w.pass();
    }
  };
  lost_ones lost;
  int balance = 0;
  cancel_everywhere([&](world& w) { return program::outer(w, balance); }, {.seeds = 2},
                    [&](const auto&, const auto&) {
                      EXPECT_EQ(balance, 0) << "a cleanup did not run to its end";
                      balance = 0;
                    });
  EXPECT_TRUE(lost.texts().empty());
}

// A cleanup that has nothing to await is called.
TEST(finally, takes_a_plain_closure) {
  int cleaned = 0;
  const auto clean = [&] { ++cleaned; };
  EXPECT_EQ(run_to_end(finally(ready(7), clean)), 7);
  EXPECT_EQ(cleaned, 1);
  EXPECT_THROW(run_to_end(finally(ready(7), [] { throw std::logic_error("untidy"); })), std::logic_error);
}

}  // namespace
