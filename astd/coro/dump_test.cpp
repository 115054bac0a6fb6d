#include <astd/coro/dump.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/poll_fn.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/shield.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>
#include <astd/coro/test_world.hpp>

#include <gtest/gtest.h>

#include <coroutine>
#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using test::counted;
using test::ending;
using test::manual_executor;
using test::on_stop;
using test::test_run;
using test::world;

// The awaits are found again by these lines.
int line_of_pass, line_of_inner, line_of_outer;

task<> inner(world& w, counted = {}) {
  line_of_pass = __LINE__ + 1;
  co_await w.pass();
}
task<int> middle(world& w, counted = {}) {
  task<> t = inner(w);
  line_of_inner = __LINE__ + 1;
  co_await or_return(std::move(t));
  co_return 1;
}
task<> outer(world& w) {
  line_of_outer = __LINE__ + 1;
  auto v = co_await middle(w);
  if (v) co_await w.pass();
}

// "name(), line" for each line of a dump that is about a frame; the rest as it is. Compilers write names differently.
std::string shortened(const detail::chain& c) {
  std::string text;
  detail::describe_chain(c, text, 0);
  static const std::regex frame("at .*\\b(\\w+)\\([^\n]*, [^\n]*/dump_test\\.cpp:(\\d+)");
  return std::regex_replace(text, frame, "at $1 $2");
}

std::string at(const char* name, int line) { return "  at " + std::string(name) + " " + std::to_string(line); }

TEST(describe_chain, names_each_await) {
  world w;
  manual_executor loop;
  test_run run(loop, outer(w));
  EXPECT_EQ(shortened(run.as_chain()), "ready to run");
  run.start();
  const std::string frames =
      "\n" + at("inner", line_of_pass) + "\n" + at("middle", line_of_inner) + "\n" + at("outer", line_of_outer);
  EXPECT_EQ(shortened(run.as_chain()), "waits in operation 1" + frames);
  w.deliver();
  EXPECT_EQ(shortened(run.as_chain()), "ready to run, waited in operation 1" + frames);
  loop.step();
  EXPECT_EQ(shortened(run.as_chain()), "waits in operation 2\n" + at("outer", line_of_outer + 1));
  w.deliver();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::value);
  EXPECT_EQ(shortened(run.as_chain()), "ready to run") << "nothing of it is left";
}

TEST(describe_chain, names_what_holds_up_a_stop) {
  world w(on_stop::later);
  manual_executor loop;
  test_run run(loop, outer(w));
  run.start();
  run.request_cancel();
  EXPECT_EQ(shortened(run.as_chain()), "is being stopped in operation 1\n" + at("inner", line_of_pass) + "\n" +
                                           at("middle", line_of_inner) + "\n" + at("outer", line_of_outer));
  w.deliver();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
}

TEST(describe_chain, shows_the_branches_that_have_not_ended) {
  world w(on_stop::later);
  manual_executor loop;
  int line = 0;
  struct together {
    static task<> wait(world& x, int& at_line) {
      at_line = __LINE__ + 1;
      co_await join(race(inner(x), pending()), ready(1), shield(x.pass()));
    }
  };
  test_run run(loop, together::wait(w, line));
  run.start();
  EXPECT_EQ(shortened(run.as_chain()),
            "waits in join\n"
            "  waits in race\n"
            "    waits in operation 1\n"
            "    " +
                at("inner", line_of_pass) +
                "\n"
                "    waits in pending, for ever\n"
                "  waits in shield\n"
                "    waits in operation 2\n" +
                at("wait", line));
  run.request_cancel();
  EXPECT_EQ(shortened(run.as_chain()),
            "is being stopped in join\n"
            "  is being stopped in race\n"
            "    is being stopped in operation 1\n"
            "    " +
                at("inner", line_of_pass) +
                "\n"
                "    is being stopped in pending, for ever\n"
                "  is being stopped in shield\n"
                "    waits in operation 2\n" +
                at("wait", line));
  while (w.deliver()) loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::stopped);
}

struct stranger {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) const noexcept { place = h; }
  void await_resume() const noexcept {}
  std::coroutine_handle<>& place;
};

task<> waits_for(world& w, stranger& s, int& line) {
  task<> t = inner(w);
  co_await std::move(t);
  line = __LINE__ + 1;
  co_await s;
}

TEST(describe_chain, knows_what_is_not_astds) {
  world w;
  manual_executor loop;
  std::coroutine_handle<> waiting;
  int line = 0;
  stranger s{waiting};
  test_run run(loop, waits_for(w, s, line));
  run.start();
  w.deliver();
  loop.run_until_idle();
  EXPECT_EQ(shortened(run.as_chain()), "waits in something that is not astd's\n" + at("waits_for", line));
  waiting.resume();
  loop.run_until_idle();
  EXPECT_EQ(run.how(), ending::value);
}

TEST(describe_chain, indents_and_adds_to_what_is_there) {
  world w;
  manual_executor loop;
  test_run run(loop, w.pass());
  run.start();
  std::string text = "task 1";
  detail::describe_chain(run.as_chain(), text, 2);
  EXPECT_EQ(text, "task 1\n    waits in operation 1");
  w.deliver();
  loop.run_until_idle();
}

}  // namespace
