// What floor 1 offers, under fault: see tests/faults/faults.hpp.
#include <astd/future.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <tests/faults/faults.hpp>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using faults::report;
using faults::scenario;
using faults::tracked;

task<tracked> sleeps(std::chrono::microseconds d, tracked value) {
  co_await this_task::sleep_for(d);
  co_return value;
}

task<tracked> yields(int times, tracked value) {
  for (int i = 0; i < times; ++i) co_await this_task::yield();
  co_return value;
}

task<> fails_after(int times, tracked) {
  for (int i = 0; i < times; ++i) co_await this_task::yield();
  co_await fail(
      {std::make_error_code(std::errc::not_supported), "a subject that is too long for any small string"});
}

task<tracked> for_ever(tracked value) {
  co_await pending();
  co_return value;
}

task<> throws(tracked) {
  co_await this_task::yield();
  throw std::runtime_error("a text that is too long for any small string");
}

constexpr auto is = [](const std::error_code& code, std::errc wanted) { return code == wanted; };

}  // namespace

ASTD_OPERATION(await_of_tasks) {
  auto first = co_await yields(2, tracked());
  auto second = co_await sleeps(1us, std::move(first));
  auto third = co_await yields(0, std::move(second));
}

ASTD_OPERATION(as_result_of_a_failure) {
  auto failed = co_await as_result(fails_after(1, tracked()));
  EXPECT_FALSE(failed);
}

namespace {
task<int> passes_on_a_failure() {
  const tracked local;
  co_await or_return(fails_after(1, local));
  co_return 1;
}
}  // namespace

ASTD_OPERATION(or_return_of_a_failure) {
  const auto failed = co_await as_result(passes_on_a_failure());
  EXPECT_FALSE(failed);
}

ASTD_OPERATION(exception_that_is_caught) {
  bool caught = false;
  try {
    co_await throws(tracked());
  } catch (const std::runtime_error&) {
    caught = true;
  }
  EXPECT_TRUE(caught);
}

namespace {
struct failure_that_is_thrown final : scenario {
  task<> operation() override { co_await fails_after(1, tracked()); }
  bool may_end_with(const report& r) override { return is(r.code, std::errc::not_supported); }
};
ASTD_SCENARIO(failure_that_is_thrown);
}  // namespace

ASTD_OPERATION(join_of_three) {
  const auto all = co_await join(sleeps(50us, tracked()), yields(3, tracked()), yields(0, tracked()));
  static_cast<void>(all);
}

ASTD_OPERATION(join_of_a_range) {
  std::vector<task<tracked>> several;
  for (int i = 0; i < 5; ++i) several.push_back(i % 2 ? sleeps(30us, tracked()) : yields(i, tracked()));
  const auto all = co_await join(std::move(several));
  EXPECT_EQ(all.size(), 5u);
}

ASTD_OPERATION(join_of_joins) {
  auto inner = join(yields(1, tracked()), sleeps(20us, tracked()));
  auto outer = join(std::move(inner), join(yields(2, tracked()), yields(3, tracked())));
  const auto all = co_await std::move(outer);
  static_cast<void>(all);
}

ASTD_OPERATION(try_join_of_two) {
  const auto all = co_await try_join(sleeps(30us, tracked()), yields(3, tracked()));
  static_cast<void>(all);
}

ASTD_OPERATION(try_join_with_a_failure) {
  const auto failed = co_await as_result(try_join(for_ever(tracked()), fails_after(2, tracked())));
  EXPECT_FALSE(failed);
}

ASTD_OPERATION(race_of_three) {
  const auto first = co_await race(sleeps(50us, tracked()), yields(4, tracked()), for_ever(tracked()));
  static_cast<void>(first);
}

ASTD_OPERATION(race_of_a_range) {
  std::vector<task<tracked>> several;
  for (int i = 0; i < 5; ++i) several.push_back(i == 3 ? yields(3, tracked()) : for_ever(tracked()));
  const auto first = co_await race(std::move(several));
  static_cast<void>(first);
}

namespace {
task<tracked> fails_with_a_value_type() {
  co_await or_return(fails_after(1, tracked()));
  co_return tracked();
}
}  // namespace

namespace {
struct try_race_with_a_failure final : scenario {
  task<> operation() override {
    const auto first = co_await try_race(fails_with_a_value_type(), sleeps(40us, tracked()));
    static_cast<void>(first);
  }
  // The other branch was stopped: then the failure is all there is.
  bool may_end_with(const report& r) override { return is(r.code, std::errc::not_supported); }
};
ASTD_SCENARIO(try_race_with_a_failure);
}  // namespace

ASTD_OPERATION(select_of_three) {
  const auto some = co_await select(yields(2, tracked()), sleeps(30us, tracked()), for_ever(tracked()));
  EXPECT_TRUE(std::get<0>(some) || std::get<1>(some));
}

ASTD_OPERATION(timeout_that_is_not_needed) {
  const auto value = co_await timeout(1h, sleeps(20us, tracked()));
  static_cast<void>(value);
}

ASTD_OPERATION(timeout_that_strikes) {
  const auto late = co_await as_result(timeout(30us, for_ever(tracked())));
  EXPECT_FALSE(late);
}

ASTD_OPERATION(timeout_at_a_moment) {
  const auto moment = std::chrono::steady_clock::now() + 30us;
  const auto late = co_await as_result(timeout_at(moment, for_ever(tracked())));
  EXPECT_FALSE(late);
}

namespace {

// What was begun under a shield is finished, and what was begun is cleaned up.
struct shield_and_finally final : scenario {
  task<> transaction() {
    ++begun;
    co_await this_task::yield();
    co_await this_task::sleep_for(10us);
    ++finished;
  }
  task<> use() {
    ++opened;
    co_await this_task::yield();
    co_await this_task::sleep_for(10us);
  }
  task<> close() {
    co_await this_task::yield();
    ++closed;
  }
  task<> operation() override {
    co_await shield(transaction());
    auto cleanup = [this] { return close(); };
    co_await finally(use(), cleanup);
  }
  void check(const report& r) override {
    EXPECT_EQ(begun, finished);
    if (r.how != faults::ending::out_of_memory) EXPECT_LE(opened, closed);
    EXPECT_LE(closed, 1);
  }
  int begun = 0, finished = 0, opened = 0, closed = 0;
};
ASTD_SCENARIO(shield_and_finally);

struct poll_fn_with_a_waker final : scenario {
  task<> operation() override {
    auto look = [this](const waker& w) -> std::optional<tracked> {
      const std::lock_guard guard(lock);
      if (answered) return tracked();
      asks.emplace(w);
      return {};
    };
    const auto value = co_await poll_fn(look);
    static_cast<void>(value);
  }
  void meanwhile() override {
    std::optional<waker> who;
    {
      const std::lock_guard guard(lock);
      if (!asks) return;
      answered = ++times == 3;
      who.swap(asks);
    }
    who->wake();
  }
  std::mutex lock;
  int times = 0;
  bool answered = false;
  std::optional<waker> asks;
};
ASTD_SCENARIO(poll_fn_with_a_waker);

}  // namespace

ASTD_OPERATION(pending_in_a_race) { co_await race(pending(), this_task::yield()); }

namespace {

/// What is not astd's: resumes as soon as it can, in the middle of being suspended.
struct foreign {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) const { h.resume(); }
  tracked await_resume() const { return {}; }
};

/// A coroutine that is not astd's and awaits what is.
struct foreign_coroutine {
  struct promise_type {
    foreign_coroutine get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept {}
  };
};
foreign_coroutine awaits(std::atomic<bool>& ended, tracked value) {
  struct at_end {
    std::atomic<bool>& set;
    ~at_end() { set = true; }
  };
  const at_end note(ended);
  const auto back = co_await yields(2, std::move(value));
}

}  // namespace

ASTD_OPERATION(foreign_awaitable) {
  const auto value = co_await foreign();
  const auto both = co_await join(foreign(), yields(1, tracked()));
  static_cast<void>(both);
}

ASTD_OPERATION(foreign_coroutine_that_awaits_a_task) {
  std::atomic<bool> ended = false;
  auto wait = [&ended]() -> task<> {
    while (!ended) co_await this_task::yield();
  };
  auto waits = wait();  // before there is anything to wait for
  awaits(ended, tracked());
  co_await shield(std::move(waits));  // it refers to what is ours
}
