#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/poll_fn.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using test::counted;
using test::ending;
using test::manual_executor;
using test::run_to_end;
using test::test_run;

// Tells when it ends.
class note {
 public:
  note(std::string& log, std::string text) : log_(log), text_(std::move(text)) {}
  note(const note&) = delete;
  ~note() { log_ += text_ + " "; }

 private:
  std::string& log_;
  std::string text_;
};

enum class how { value, failure, exception, never };

// `depth` levels, the innermost of which ends as told; each has two locals.
task<int> nest(std::string& log, how h, int depth) {
  note first(log, std::to_string(depth) + "a");
  note second(log, std::to_string(depth) + "b");
  if (depth == 0) {
    if (h == how::failure)
      co_await fail({std::make_error_code(std::errc::connection_refused), "connect", "1.2.3.4:5"});
    if (h == how::exception) throw std::runtime_error("thrown");
    if (h == how::never) {
      co_await pending();
    }
    co_return 10;
  }
  note* before = &second;
  auto v = co_await or_return(nest(log, h, depth - 1));
  if (before == &first) co_return 0;
  log += "back ";
  co_return v + 1;
}

TEST(or_return, gives_the_value) {
  std::string log;
  EXPECT_EQ(run_to_end(nest(log, how::value, 2)), 12);
  EXPECT_EQ(log, "0b 0a back 1b 1a back 2b 2a ");
}

TEST(or_return, ends_every_level_with_the_failure) {
  std::string log;
  manual_executor loop;
  test_run run(loop, nest(log, how::failure, 2));
  run.start();
  EXPECT_EQ(run.how(), ending::failure) << "no exception is made";
  EXPECT_EQ(run.error().code(), std::errc::connection_refused);
  EXPECT_EQ(run.error().subject(), "connect 1.2.3.4:5");
  EXPECT_EQ(log, "0b 0a 1b 1a 2b 2a ") << "from the innermost out, locals in reverse order";
}

TEST(or_return, at_each_depth_can_be_seen_in_each_way) {
  for (int depth = 0; depth != 6; ++depth) {
    std::string log;
    auto program = [&](int way) -> task<std::string> {
      if (way == 0) {
        auto r = co_await as_result(nest(log, how::failure, depth));
        co_return r.error().message();
      }
      try {
        auto v = co_await nest(log, how::failure, depth);
        co_return std::to_string(v);
      } catch (const astd::system_error& e) {
        co_return std::string(e.failure().subject()) + ": " + e.code().message();
      }
    };
    EXPECT_EQ(run_to_end(program(0)), "Connection refused");
    EXPECT_EQ(run_to_end(program(1)), "connect 1.2.3.4:5: Connection refused");
  }
}

TEST(or_return, throws_exceptions_on) {
  std::string log;
  EXPECT_THROW(run_to_end(nest(log, how::exception, 3)), std::runtime_error);
  EXPECT_EQ(log, "0b 0a 1b 1a 2b 2a 3b 3a ");
  auto catching = [&](bool) -> task<std::string> {
    try {
      auto v = co_await or_return(nest(log, how::exception, 1));
      co_return std::to_string(v);
    } catch (const std::runtime_error& e) {
      co_return e.what();
    }
  };
  EXPECT_EQ(run_to_end(catching(true)), "thrown");
}

// A failure is no exception: what stands around or_return cannot catch it.
TEST(or_return, cannot_be_caught_where_it_stands) {
  std::string log;
  auto program = [&]() -> task<int> {
    note n(log, "n");
    try {
      auto v = co_await or_return(nest(log, how::failure, 0));
      co_return v;
    } catch (...) {
      log += "caught";
    }
    co_return 1;
  };
  manual_executor loop;
  test_run run(loop, program());
  run.start();
  EXPECT_EQ(run.how(), ending::failure);
  EXPECT_EQ(log, "0b 0a n ");
}

TEST(or_return, in_a_loop_ends_it_at_the_first_failure) {
  int made = 0;
  auto third_fails = [&](counted) -> task<int> {
    if (++made == 3) co_await fail(std::errc::timed_out);
    co_return made;
  };
  auto program = [&]() -> task<int> {
    int sum = 0;
    std::vector<counted> held;
    for (;;) {
      auto v = co_await or_return(third_fails({}));
      held.emplace_back();
      sum += v;
    }
    co_return sum;
  };
  manual_executor loop;
  test_run run(loop, program());
  run.start();
  EXPECT_EQ(run.how(), ending::failure);
  EXPECT_EQ(made, 3);
  EXPECT_EQ(counted::live(), 0);
}

TEST(or_return, turns_an_exception_of_one_task_into_nothing_else) {
  // A std::system_error that was thrown stays an exception: only as_result takes it for a failure.
  auto thrower = []() -> task<> {
    throw std::system_error(std::make_error_code(std::errc::timed_out));
    co_return;
  };
  auto program = [&]() -> task<> { co_await or_return(thrower()); };
  manual_executor loop;
  test_run run(loop, program());
  run.start();
  EXPECT_EQ(run.how(), ending::exception);
}

TEST(or_return, of_results_of_every_kind) {
  int n = 0;
  auto nothing = []() -> task<> { co_return; };
  auto refer = [](int& r) -> task<int&> { co_return r; };
  auto move_only = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(2); };
  auto program = [&]() -> task<int> {
    co_await or_return(nothing());
    int& r = co_await or_return(refer(n));
    r = 3;
    auto p = co_await or_return(move_only());
    auto now = co_await or_return(ready(4));
    co_await or_return(ready());
    co_return n + *p + now;
  };
  EXPECT_EQ(run_to_end(program()), 9);
}

TEST(or_return, of_composites) {
  std::string log;
  auto of_join = [&](how h) -> task<int> {
    auto both = co_await or_return(join(nest(log, h, 1), nest(log, how::value, 0)));
    co_return std::get<0>(both) + std::get<1>(both);
  };
  EXPECT_EQ(run_to_end(of_join(how::value)), 21);
  manual_executor loop;
  test_run run(loop, of_join(how::failure));
  run.start();
  EXPECT_EQ(run.how(), ending::failure);
  auto of_race = [&](how h) -> task<int> {
    auto v = co_await or_return(race(nest(log, how::never, 1), nest(log, h, 1)));
    co_return v;
  };
  EXPECT_EQ(run_to_end(of_race(how::value)), 11);
}

TEST(or_return, of_what_is_suspended) {
  std::optional<waker> w;
  int polls = 0;
  auto waits = [&](int last) -> task<int> {
    auto v = co_await poll_fn([&](const waker& x) -> std::optional<int> {
      w = x;
      return ++polls == last ? std::optional(polls) : std::nullopt;
    });
    if (v != 2) co_await fail(std::errc::timed_out);
    co_return v;
  };
  auto program = [&](int last) -> task<int> {
    polls = 0;
    auto v = co_await or_return(waits(last));
    co_return v;
  };
  for (int last : {2, 3}) {
    manual_executor loop;
    test_run run(loop, program(last));
    run.start();
    while (!run.has_ended()) {
      w->wake();
      loop.run_until_idle();
    }
    EXPECT_EQ(run.how(), last == 2 ? ending::value : ending::failure);
  }
}

TEST(or_return, is_stopped_from_the_innermost_out) {
  std::string log;
  manual_executor loop;
  test_run run(loop, nest(log, how::never, 2));
  run.start();
  run.request_cancel();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
  EXPECT_EQ(log, "0b 0a 1b 1a 2b 2a ");
}

TEST(fail, takes_codes_conditions_and_subjects) {
  auto with = [](failure f) -> task<> { co_await fail(std::move(f)); };
  auto ended = [&](failure f) {
    manual_executor loop;
    test_run run(loop, with(std::move(f)));
    run.start();
    EXPECT_EQ(run.how(), ending::failure);
    return run.error();
  };
  EXPECT_EQ(ended(std::errc::timed_out).code(), std::errc::timed_out);
  EXPECT_EQ(ended(std::error_code(5, std::generic_category())).code(), std::errc::io_error);
  const failure f = ended({std::make_error_code(std::errc::timed_out), "open", "/x y"});
  EXPECT_EQ(f.subject(), "open /x y");
  auto in_place = []() -> task<int> {
    co_await fail({std::make_error_code(std::errc::timed_out), "open", "/x"});
    co_return 1;
  };
  EXPECT_THROW(run_to_end(in_place()), astd::system_error);
}

TEST(fail, destroys_the_frame_that_awaits_it) {
  auto program = [](counted) -> task<> {
    counted local;
    co_await fail(std::errc::timed_out);
  };
  {
    manual_executor loop;
    test_run run(loop, program({}));
    run.start();
    EXPECT_EQ(run.how(), ending::failure);
    EXPECT_EQ(counted::live(), 0);
  }
}

}  // namespace
