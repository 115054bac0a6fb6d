// Floors 0 and 1 once more, built with -fno-exceptions and without anything above them: a program of its own, since the
// rest of the suite throws. Returns 1 and says where if a check fails.
#include <astd/coro/as_result.hpp>
#include <astd/coro/dump.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/poll_fn.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/select.hpp>
#include <astd/coro/shield.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>

#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#if defined(__cpp_exceptions)
#error "this program is about -fno-exceptions"
#endif

namespace {

using namespace astd;
using test::counted;
using test::ending;
using test::manual_executor;
using test::run_to_end;
using test::test_run;

int failures = 0;

void check(bool good, const char* what, int line) {
  if (good) return;
  std::fprintf(stderr, "no_exceptions_test.cpp:%d: %s\n", line, what);
  ++failures;
}
#define CHECK(condition) check(static_cast<bool>(condition), #condition, __LINE__)

const std::error_code refused = std::make_error_code(std::errc::connection_refused);

task<int> gives(int n, counted = {}) { co_return n; }
task<std::unique_ptr<int>> moves(int n) { co_return std::make_unique<int>(n); }
task<> nothing() { co_return; }
task<int&> refers(int& r) { co_return r; }
task<int> fails(int depth, counted = {}) {
  if (depth == 0) {
    co_await fail({refused, "connect", "1.2.3.4:5"});
  }
  auto v = co_await or_return(fails(depth - 1));
  co_return v;
}
task<int> deep(int n) {
  if (n == 0) co_return 0;
  auto v = co_await deep(n - 1);
  co_return v + 1;
}

void results() {
  int n = 1;
  auto program = [](int& r) -> task<int> {
    auto a = co_await gives(1);
    auto b = co_await moves(2);
    int& c = co_await refers(r);
    co_await nothing();
    auto d = co_await as_result(gives(4));
    auto e = co_await or_return(gives(5));
    auto f = co_await ready(6);
    co_return a + *b + c + *d + e + f;
  };
  CHECK(run_to_end(program(n)) == 19);
  CHECK(run_to_end(deep(100'000)) == 100'000);
}

void failures_as_values() {
  auto program = [](int depth) -> task<std::error_code> {
    auto r = co_await as_result(fails(depth));
    co_return r ? std::error_code() : r.error();
  };
  for (int depth : {0, 1, 5, 10'000}) CHECK(run_to_end(program(depth)) == refused);
  manual_executor loop;
  test_run run(loop, fails(3));
  run.start();
  CHECK(run.how() == ending::failure);
  CHECK(run.error().subject() == "connect 1.2.3.4:5");
  CHECK(counted::live() == 0);
}

void composites() {
  auto program = []() -> task<int> {
    auto j = co_await join(gives(1), nothing(), moves(2));
    auto t = co_await as_result(try_join(pending<int>(), fails(2)));
    auto r = co_await race(pending<int>(), gives(3));
    auto s = co_await try_race(fails(1), gives(4));
    auto all_failed = co_await as_result(try_race(fails(1), fails(2)));
    auto x = co_await select(pending<int>(), gives(5));
    auto sh = co_await shield(gives(6));
    std::vector<task<int>> many;
    for (int i = 0; i != 3; ++i) many.push_back(gives(i));
    auto v = co_await join(std::move(many));
    auto f = co_await as_result(finally(fails(1), [] { return nothing(); }));
    CHECK(!t && t.error() == refused);
    CHECK(!all_failed && all_failed.error() == refused);
    CHECK(!f && f.error() == refused);
    CHECK(!std::get<0>(x));
    co_return std::get<0>(j) + *std::get<2>(j) + r + s + std::get<1>(x).value_or(0) + sh + v[2];
  };
  CHECK(run_to_end(program()) == 23);
  CHECK(counted::live() == 0);
}

void stopping() {
  manual_executor loop;
  std::string log;
  auto body = [](counted) -> task<> { co_await pending(); };
  auto cleanup = [&]() -> task<> {
    log += "cleanup ";
    co_return;
  };
  auto program = [&](counted) -> task<> {
    auto r = co_await as_result(join(finally(body({}), cleanup), race(pending<int>(), pending<int>())));
    log += r ? "value" : "error";
  };
  test_run run(loop, program({}));
  run.start();
  std::string text;
  detail::describe_chain(run.as_chain(), text, 0);
  CHECK(text.starts_with("waits in join\n"));
  run.request_cancel();
  loop.run_until_idle();
  CHECK(run.how() == ending::stopped);
  CHECK(log == "cleanup ");
  CHECK(counted::live() == 0);
}

// Without a runtime a chain that is started outside of any runs on the spot.
class eager {
 public:
  struct promise_type {
    eager get_return_object() { return eager(); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept {}
  };
};

void on_the_spot() {
  std::optional<waker> first, second;
  int rung = 0;
  int got = 0;
  auto waits = [&](std::optional<waker>& place) -> task<int> {
    co_await poll_fn([&](const waker& w) {
      place = w;
      return rung != 0;
    });
    co_return 1;
  };
  auto stranger = [&]() -> eager {
    auto both = co_await join(waits(first), waits(second));
    got = std::get<0>(both) + std::get<1>(both);
  };
  stranger();
  CHECK(got == 0);
  rung = 1;
  first->wake();
  CHECK(got == 0);
  second->wake();
  CHECK(got == 2);

  // Two that wake each other would use up the stack if waking resumed at once.
  constexpr int many = 200'000;
  test::stack_probe probe;
  int ping = 0, pong = 0;
  auto player = [&](std::optional<waker>& mine, std::optional<waker>& other, int& count) -> task<> {
    co_await poll_fn([&](const waker& w) {
      probe.mark();
      mine = w;
      if (other) other->wake();
      return ++count == many;
    });
    if (other) other->wake();
  };
  first.reset();
  second.reset();
  bool over = false;
  auto game = [&]() -> eager {
    co_await join(player(first, second, ping), player(second, first, pong));
    over = true;
  };
  game();
  CHECK(over);
  CHECK(probe.spread() < 64 * 1024);
}

// What nobody takes as a value cannot go on: it ends the program with a message.
void nobody_takes_it() {
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 2);
    auto program = []() -> task<> { co_await fails(1); };
    run_to_end(program());
    _exit(0);
  }
  close(ends[1]);
  std::string text(500, '\0');
  const ssize_t n = read(ends[0], text.data(), text.size());
  close(ends[0]);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  CHECK(text.find("connect 1.2.3.4:5: Connection refused") != std::string::npos);
}

}  // namespace

int main() {
  results();
  failures_as_values();
  composites();
  stopping();
  on_the_spot();
  nobody_takes_it();
  if (failures == 0) std::puts("without exceptions: all checks passed");
  return failures != 0;
}
