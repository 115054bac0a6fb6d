// Tasks and runtimes under fault: see tests/faults/faults.hpp.
#include <astd/future.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <tests/faults/faults.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using faults::ending;
using faults::report;
using faults::scenario;
using faults::tracked;

const std::string long_name = "a name that is too long for any small string";

task<tracked> child(int times, tracked value) {
  for (int i = 0; i < times; ++i) co_await this_task::yield();
  co_await this_task::sleep_for(10us);
  co_return value;
}

task<> for_ever(tracked) { co_await pending(); }

/// A task that must not outlive the operation by long, however that ends.
struct cancelled_at_end {
  explicit cancelled_at_end(join_handle<> h) noexcept : handle(std::move(h)) {}
  ~cancelled_at_end() { handle.request_cancel(); }
  join_handle<> handle;
};

task<> fails_soon(tracked) {
  co_await this_task::yield();
  co_await fail({std::make_error_code(std::errc::not_supported), long_name});
}

}  // namespace

ASTD_OPERATION(yield) {
  for (int i = 0; i < 5; ++i) co_await this_task::yield();
}

ASTD_OPERATION(sleeps) {
  co_await this_task::sleep_for(20us);
  co_await this_task::sleep_until(std::chrono::steady_clock::now() + 20us);
  co_await this_task::sleep_for(0us);
}

ASTD_OPERATION(request_to_itself) {
  co_await shield(this_task::sleep_for(1us));
  auto stops = []() -> task<> {
    this_task::request_cancel();
    co_await pending();
  };
  auto h = spawn(stops);
  const auto ended = co_await as_result(h);
  EXPECT_FALSE(ended);
}

ASTD_OPERATION(spawn_and_join) {
  auto first = spawn(child(2, tracked()));
  auto second = spawn(child, 1, tracked());
  const auto a = co_await first;
  const auto b = co_await second;
}

ASTD_OPERATION(spawn_and_detach) {
  spawn(child(2, tracked())).detach();
  spawn(child, 1, tracked()).detach();
  co_await this_task::yield();
}

ASTD_OPERATION(spawn_and_cancel) {
  auto h = spawn(for_ever(tracked()));
  co_await this_task::yield();
  const auto none = co_await h.cancel();
  EXPECT_FALSE(none);
}

// The error names the task.
ASTD_OPERATION(join_of_a_cancelled_task_with_a_name) {
  auto h = task_builder().name(long_name).spawn(for_ever(tracked()));
  h.request_cancel();
  const auto ended = co_await as_result(h);
  EXPECT_EQ(ended.error(), std::errc::operation_canceled);
}

ASTD_OPERATION(timeout_of_a_cancelled_task_with_a_name) {
  auto h = task_builder().name(long_name).spawn(for_ever(tracked()));
  h.request_cancel();
  const auto ended = co_await as_result(timeout(1h, h));
  EXPECT_EQ(ended.error(), std::errc::operation_canceled);
}

namespace {
// A failure that nobody hears of goes to the handler, also without memory.
struct failure_of_a_detached_task final : scenario {
  failure_of_a_detached_task() : before(set_lost_exception_handler(&count)) { lost = 0; }
  ~failure_of_a_detached_task() override { set_lost_exception_handler(before); }
  static void count(std::exception_ptr, std::string_view) noexcept { ++lost; }
  task<> operation() override {
    auto h = task_builder().name(long_name).spawn(fails_soon(tracked()));
    auto other = task_builder().name(long_name).spawn(child(1, tracked()));
    h.detach();
    const auto value = co_await other;
    spawned = true;
  }
  void check(const report& r) override {
    if (!spawned || r.how != ending::value) return;
    while (tracked::live() != 0) std::this_thread::yield();
    while (lost == 0) std::this_thread::yield();
    EXPECT_EQ(lost, 1);
  }
  static inline std::atomic<int> lost = 0;
  bool spawned = false;
  lost_exception_handler before;
};
ASTD_SCENARIO(failure_of_a_detached_task);
}  // namespace

ASTD_OPERATION(spawn_local_and_join) {
  auto first = spawn_local(child(2, tracked()));
  auto second = task_builder().name(long_name).local(child, 1, tracked());
  const auto a = co_await first;
  const auto b = co_await second;
}

ASTD_OPERATION(named_tasks) {
  auto first = task_builder().name(long_name).spawn(child(1, tracked()));
  EXPECT_EQ(first.name(), long_name);
  auto second = task_builder().name(long_name).blocking([](tracked value) { return value; }, tracked());
  const auto a = co_await first;
  const auto b = co_await second;
}

ASTD_OPERATION(spawn_blocking_and_join) {
  auto first = spawn_blocking([](tracked value) { return value; }, tracked());
  auto second = spawn_blocking(
      [](tracked) { throw std::system_error(std::make_error_code(std::errc::not_supported)); }, tracked());
  const auto a = co_await first;
  const auto b = co_await as_result(second);
  EXPECT_FALSE(b);
}

namespace {
task<> waits_in_the_queue(std::vector<join_handle<tracked>>& calls) {
  for (auto& c : calls) {
    const auto end = co_await as_result(c);
    static_cast<void>(end);
  }
}
}  // namespace

ASTD_OPERATION(spawn_blocking_with_a_full_queue) {
  // Taken apart when this task ends, which the runtime in here does not mind.
  runtime small({.workers = 1, .name = "small", .max_blocking_threads = 1, .max_blocking_queue = 1});
  auto many = []() -> task<> {
    std::vector<join_handle<tracked>> calls;
    for (int i = 0; i < 4; ++i) calls.push_back(spawn_blocking([](tracked value) { return value; }, tracked()));
    co_await waits_in_the_queue(calls);
  };
  small.block_on(many());
  co_return;
}

ASTD_OPERATION(block_on_inside_a_task) {
  const auto value = block_on(child(1, tracked()));
  static_cast<void>(value);
  co_await this_task::yield();
}

namespace {
task_local<tracked> bound;
task_local<std::string> passed_on(inherited);

task<> looks() {
  EXPECT_NE(bound.try_get(), nullptr);
  co_await this_task::yield();
  auto inner = []() -> task<bool> {
    co_await this_task::yield();
    co_return passed_on.get() == long_name;
  };
  auto h = spawn(inner);
  const bool same = co_await h;
  EXPECT_TRUE(same);
}
}  // namespace

ASTD_OPERATION(task_locals) { co_await bound.with(tracked(), passed_on.with(long_name, looks())); }

ASTD_OPERATION(group_of_tasks) {
  auto body = [](task_group& g) -> task<tracked> {
    for (int i = 0; i < 3; ++i) g.spawn(child(i, tracked()));
    auto held = g.spawn(child, 1, tracked());
    const auto first = co_await g.next<tracked>();
    EXPECT_TRUE(first);
    const auto mine = co_await held;
    co_return tracked();
  };
  const auto value = co_await task_group::run(body);
}

ASTD_OPERATION(group_with_a_failure) {
  auto body = [](task_group& g) -> task<> {
    g.spawn(for_ever(tracked()));
    g.spawn(fails_soon(tracked()));
    co_await pending();
  };
  const auto failed = co_await as_result(task_group::run(body));
  EXPECT_FALSE(failed);
}

ASTD_OPERATION(group_that_is_left_to_its_tasks) {
  auto body = [](task_group& g) -> task<> {
    g.spawn(child(1, tracked()));
    g.spawn(
        [](task_group& inside) -> task<> {
          inside.spawn(child(2, tracked()));
          co_return;
        },
        std::ref(g));
    co_return;
  };
  co_await task_group::run(body);
}

ASTD_OPERATION(group_of_values_that_nobody_asks_for) {
  auto body = [](task_group& g) -> task<> {
    auto held = g.spawn(child(1, tracked()));
    g.spawn(child(0, tracked()));
    co_await this_task::sleep_for(30us);
    g.request_cancel();
    co_return;
  };
  co_await task_group::run(body);
}

ASTD_OPERATION(runtime_of_its_own) {
  runtime inner({.workers = 1, .name = long_name, .max_blocking_threads = 4});
  const auto value = inner.block_on(inner.spawn(child(1, tracked())));
  auto left = inner.spawn(for_ever(tracked()));
  const shutdown_report end = inner.shutdown(60s);
  EXPECT_TRUE(end.complete) << end.text;
  co_return;
}

ASTD_OPERATION(runtime_with_several_workers) {
  runtime inner({.workers = 2, .name = long_name, .stall_limit = 1h});
  const auto value = inner.block_on(inner.spawn(child(1, tracked())));
  co_return;
}

ASTD_OPERATION(runtime_without_workers) {
  runtime inner({.workers = 0, .name = long_name});
  const auto value = inner.block_on(child(1, tracked()));
  auto left = inner.spawn(for_ever(tracked()));
  co_return;
}

ASTD_OPERATION(runtime_without_workers_that_never_runs) {
  runtime inner({.workers = 0, .name = long_name});
  for (int i = 0; i < 3; ++i) inner.spawn(child(1, tracked())).detach();
  auto left = inner.spawn(for_ever(tracked()));
  co_return;
}

ASTD_OPERATION(dump_and_metrics) {
  const cancelled_at_end named(task_builder().name(long_name).spawn(for_ever(tracked())));
  co_await this_task::yield();
  const std::string tasks = dump_tasks();
  EXPECT_FALSE(tasks.empty());
  const runtime_metrics m = runtime::current().metrics();
  EXPECT_FALSE(m.to_string().empty());
}

ASTD_OPERATION(options_that_are_refused) {
  bool refused = false;
  try {
    runtime inner({.workers = 100'000});
  } catch (const std::system_error& e) {
    refused = e.code() == std::errc::invalid_argument;
  }
  EXPECT_TRUE(refused);
  co_return;
}
