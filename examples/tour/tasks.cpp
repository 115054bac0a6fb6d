// Stations of the tour that need nothing but tasks and time.
#include "memory.hpp"
#include "station.hpp"
#include <astd/fs.hpp>
#include <astd/future.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace tour {
namespace {

astd::task<std::string> greeting() { co_return "Hello, world!"; }

astd::task<int> one() { co_return 1; }
astd::task<int> two() { co_return 2; }

// An error passes through both of them by or_return: nothing is thrown on the way.
astd::task<std::size_t> length(std::string path) {
  auto text = co_await astd::or_return(astd::fs::read_to_string(path));
  co_return text.size();
}
astd::task<std::size_t> double_length(std::string path) {
  auto once = co_await astd::or_return(length(path));
  co_return 2 * once;
}

/// Says when it is destroyed.
class guest {
 public:
  guest(std::string name, std::vector<std::string>& leaving) : name_(std::move(name)), leaving_(leaving) {}
  guest(const guest&) = delete;
  guest& operator=(const guest&) = delete;
  ~guest() { leaving_.push_back(name_); }

 private:
  std::string name_;
  std::vector<std::string>& leaving_;
};

astd::task<std::string> run(std::string name, std::chrono::milliseconds takes, std::vector<std::string>& leaving) {
  guest runner(name, leaving);
  co_await astd::this_task::sleep_for(takes);
  co_return name;
}

// Three coroutines deep, and the innermost would wait for ever.
astd::task<> inner(std::vector<std::string>& leaving) {
  guest g("inner", leaving);
  co_await astd::pending();
}
astd::task<> middle(std::vector<std::string>& leaving) {
  guest g("middle", leaving);
  co_await inner(leaving);
}
astd::task<> outer(std::vector<std::string>& leaving, std::atomic<bool>& began) {
  guest g("outer", leaving);
  began = true;
  co_await middle(leaving);
}

int compute_slowly(int number) {
  std::this_thread::sleep_for(20ms);
  return number;
}

astd::task<int> nap(int number, std::chrono::milliseconds time) {
  co_await astd::this_task::sleep_for(time);
  co_return number;
}

}  // namespace

astd::task<std::string> hello() {
  auto text = co_await greeting();
  expect(text == "Hello, world!", "a task gives the value it returns");
  co_return text;
}

astd::task<std::string> join() {
  auto both = co_await astd::join(one(), two());
  expect(both == std::tuple(1, 2), "join gives the values in order");
  co_return fmt::format("({}, {})", std::get<0>(both), std::get<1>(both));
}

astd::task<std::string> errors() {
  std::string thrown;
  try {
    co_await double_length("/no/such/file");
  } catch (const std::system_error& e) {
    thrown = e.what();
  }
  expect(thrown == "open /no/such/file: No such file or directory", "what is thrown names what failed");

  auto result = co_await astd::as_result(double_length("/no/such/file"));
  expect(!result && result.error() == std::errc::no_such_file_or_directory, "as_result gives the code");

  co_return fmt::format(
      "co_await aw             throws       {}\n"
      "co_await as_result(aw)  a value      {}\n"
      "co_await or_return(aw)  passes it on, two coroutines up, without a throw",
      thrown, result.error().message());
}

astd::task<std::string> timeouts() {
  stopwatch watch;
  auto late = co_await astd::as_result(astd::timeout(20ms, astd::pending<int>()));
  auto waited = watch.elapsed();
  expect(!late && late.error() == std::errc::timed_out, "what takes too long gives std::errc::timed_out");
  expect(waited >= 20ms, "a timer never fires early");

  auto there = co_await astd::timeout(0ms, astd::ready(42));
  expect(there == 42, "a value that is there beats any deadline");
  co_return fmt::format("limit 20 ms: timed out after {:.2f} ms\nlimit  0 ms: the value was there, {}",
                        waited.count(), there);
}

astd::task<std::string> race() {
  std::vector<std::string> leaving;
  auto winner = co_await astd::race(run("tortoise", 1h, leaving), run("hare", 5ms, leaving));
  expect(winner == "hare", "the first to end wins");
  expect(leaving.size() == 2 && leaving.back() == "tortoise", "the loser has ended when race returns");
  co_return fmt::format("the winner is the {}; the {}, who had an hour to go, has left the field", winner,
                        leaving.back());
}

astd::task<std::string> cancel() {
  std::vector<std::string> leaving;
  std::atomic<bool> began = false;
  auto visit = astd::spawn(outer(leaving, began));
  while (!began) co_await astd::this_task::yield();

  auto value = co_await visit.cancel();
  expect(!value, "a task that was cancelled has no value");
  expect(leaving == std::vector<std::string>{"inner", "middle", "outer"},
         "all destructors ran, the innermost first");
  co_return fmt::format("destroyed when cancel() returned: {}, {}, {}", leaving[0], leaving[1], leaving[2]);
}

astd::task<std::string> blocking() {
  std::vector<astd::join_handle<int>> calls;
  for (int i = 0; i < 8; ++i) calls.push_back(astd::spawn_blocking(compute_slowly, i));
  int sum = 0;
  for (auto& call : calls) {
    auto number = co_await call;
    sum += number;
  }
  expect(sum == 28, "spawn_blocking gives what the function returns");
  co_return "8 calls of 20 ms each, on threads of their own, while the workers were free";
}

astd::task<std::string> many_tasks() {
  constexpr int count = 100'000;
  const auto before = resident_memory();
  stopwatch watch;
  std::vector<astd::join_handle<int>> tasks;
  tasks.reserve(count);
  for (int i = 0; i < count; ++i) tasks.push_back(astd::spawn(nap(i, 200ms)));
  const double spawned = watch.milliseconds();
  const auto after = resident_memory();

  long sum = 0;
  for (auto& task : tasks) {
    auto number = co_await task;
    sum += number;
  }
  const double took = watch.milliseconds();
  expect(sum == 4'999'950'000, "every task gave its value");
  co_return fmt::format("each slept for 200 ms, all of them together for {:.0f}\nto spawn one took {:.0f} ns{}",
                        took, spawned * 1e6 / count,
                        after > before ? fmt::format(" and {} bytes", (after - before) / count) : "");
}

}  // namespace tour
