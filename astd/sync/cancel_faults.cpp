// Tokens and trackers under fault: see tests/faults/faults.hpp.
#include <astd/cancel.hpp>
#include <astd/future.hpp>
#include <astd/task.hpp>
#include <astd/task_tracker.hpp>
#include <astd/this_task.hpp>

#include <tests/faults/faults.hpp>

#include <atomic>
#include <optional>
#include <utility>

namespace {

using namespace astd;
using faults::report;
using faults::scenario;
using faults::tracked;

task<tracked> for_ever(tracked value) {
  co_await pending();
  co_return value;
}

task<> yields(int times, tracked) {
  for (int i = 0; i < times; ++i) co_await this_task::yield();
}

// Another thread asks, again and again, while what it asks may be cancelled otherwise.
struct with_cancel_from_outside final : scenario {
  task<> operation() override {
    const cancel_source child = source.child();
    waiting = true;
    const auto ended = co_await as_result(with_cancel(child.token(), for_ever(tracked())));
    EXPECT_FALSE(ended);
    co_await child.token().cancelled();
  }
  void meanwhile() override {
    if (waiting) source.request_cancel();
  }
  const cancel_source source;
  std::atomic<bool> waiting = false;
};
ASTD_SCENARIO(with_cancel_from_outside);

// Whatever fails: what counts goes, and nobody waits for ever.
struct tracker_of_three final : scenario {
  task<> operation() override {
    for (int i = 0; i < 3; ++i) tracker.spawn(yields(i, tracked())).detach();
    tracker.close();
    co_await tracker.wait();
  }
  void check(const report& r) override {
    if (r.how == faults::ending::value) EXPECT_EQ(tracker.size(), 0u);
  }
  const task_tracker tracker;
};
ASTD_SCENARIO(tracker_of_three);

}  // namespace
