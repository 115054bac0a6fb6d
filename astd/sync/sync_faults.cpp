// Locks and what else waits, under fault: see tests/faults/faults.hpp.
#include <astd/barrier.hpp>
#include <astd/call_once.hpp>
#include <astd/condition_variable.hpp>
#include <astd/event.hpp>
#include <astd/future.hpp>
#include <astd/latch.hpp>
#include <astd/lazy.hpp>
#include <astd/locked.hpp>
#include <astd/mutex.hpp>
#include <astd/once_cell.hpp>
#include <astd/semaphore.hpp>
#include <astd/shared_mutex.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>
#include <astd/timed_mutex.hpp>

#include <tests/faults/faults.hpp>

#include <chrono>
#include <tuple>
#include <utility>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using faults::report;
using faults::scenario;
using faults::tracked;

// However they end, nobody has it, and it can be had.
struct mutexes final : scenario {
  task<> holds() {
    auto guard = co_await m.lock();
    const tracked local;
    co_await this_task::yield();
  }
  task<> operation() override {
    co_await join(holds(), holds());
    auto held = co_await m.lock();
    auto none = co_await m.try_lock_for(20us);
    EXPECT_FALSE(none.has_value());
    held.unlock();
    co_await join(holds(), tries());
  }
  task<> tries() {
    auto guard = co_await m.try_lock_for(1h);
    EXPECT_TRUE(guard.has_value());
  }
  void check(const report&) override { EXPECT_TRUE(m.try_lock().has_value()); }
  astd::timed_mutex m;
};
ASTD_SCENARIO(mutexes);

// Two in both orders, and a guard that locks again.
struct several_locks final : scenario {
  task<> holds(astd::mutex& first, astd::mutex& second) {
    auto guards = co_await astd::lock(first, second);
    const tracked local;
    co_await this_task::yield();
    std::get<0>(guards).unlock();
    co_await std::get<0>(guards).lock();
  }
  task<> operation() override { co_await join(holds(a, b), holds(b, a)); }
  void check(const report&) override { EXPECT_TRUE(astd::try_lock(a, b).has_value()); }
  astd::mutex a, b;
};
ASTD_SCENARIO(several_locks);

struct shared_mutexes final : scenario {
  task<> reads() {
    auto guard = co_await m.lock_shared();
    co_await this_task::yield();
  }
  task<> writes() {
    auto looking = co_await m.lock_upgrade();
    co_await this_task::yield();
    auto guard = co_await looking.upgrade();
    co_await this_task::yield();
    auto reading = guard.downgrade();
    co_await this_task::yield();
  }
  task<> replaces() {
    auto guard = co_await m.lock();
    co_await this_task::yield();
  }
  task<> operation() override { co_await join(reads(), writes(), replaces(), reads(), writes()); }
  void check(const report&) override { EXPECT_TRUE(m.try_lock().has_value()); }
  astd::shared_mutex m;
};
ASTD_SCENARIO(shared_mutexes);

struct semaphores final : scenario {
  task<> takes(std::ptrdiff_t n) {
    auto permit = co_await s.acquire_permit(n);
    const tracked local;
    co_await this_task::yield();
  }
  task<> operation() override {
    co_await join(takes(2), takes(3), takes(1), takes(2));
    auto all = co_await s.acquire_permit(3);
    const bool more = co_await s.try_acquire_for(20us);
    EXPECT_FALSE(more);
  }
  void check(const report&) override { EXPECT_EQ(s.available(), 3); }
  counting_semaphore<> s{3};
};
ASTD_SCENARIO(semaphores);

// What was announced and not taken is still there, and the lock is free.
struct condition_variables final : scenario {
  task<> takes(int n) {
    auto guard = co_await m.lock();
    for (; n > 0; --n) {
      co_await cv.wait(guard, [this] { return there > 0; });
      --there;
      ++taken;
    }
  }
  task<> gives(int n) {
    for (; n > 0; --n) {
      auto guard = co_await m.lock();
      ++there;
      ++given;
      cv.notify_one();
      co_await this_task::yield();
    }
  }
  task<> operation() override {
    co_await join(takes(2), takes(1), gives(3));
    auto guard = co_await m.lock();
    const auto status = co_await cv.wait_for(guard, 20us);
    EXPECT_EQ(status, astd::cv_status::timeout);
  }
  void check(const report&) override {
    EXPECT_TRUE(m.try_lock().has_value());
    EXPECT_EQ(there + taken, given);
  }
  astd::mutex m;
  astd::condition_variable cv;
  int there = 0, taken = 0, given = 0;
};
ASTD_SCENARIO(condition_variables);

}  // namespace

ASTD_OPERATION(events) {
  event e;
  auto waits = [](event& on) -> task<> {
    const tracked local;
    co_await on.wait();
  };
  auto wakes = [](event& on) -> task<> {
    co_await this_task::yield();
    on.notify_one();
    co_await this_task::yield();
    on.notify_all();
    on.notify_one();
  };
  co_await join(waits(e), waits(e), wakes(e));
}

ASTD_OPERATION(latches_and_barriers) {
  astd::latch done(2);
  astd::barrier meeting(2);
  auto meets = [](astd::latch& l, astd::barrier<>& b) -> task<> {
    const tracked local;
    co_await l.arrive_and_wait();
    for (int i = 0; i < 3; ++i) co_await b.arrive_and_wait();
  };
  co_await join(meets(done, meeting), meets(done, meeting));
}

namespace {
// A value is made, or can be made yet.
struct once_cells final : scenario {
  task<> asks() {
    auto make = [this]() -> task<tracked> {
      co_await this_task::yield();
      ++made;
      co_return tracked();
    };
    auto& value = co_await cell.get_or_init(make);
    static_cast<void>(value);
    auto once = [this] {
      ++calls;
      return this_task::yield();
    };
    co_await astd::call_once(flag, once);
  }
  task<> operation() override { co_await join(asks(), asks(), asks()); }
  void check(const report&) override {
    const bool full = cell.get() != nullptr;
    EXPECT_EQ(cell.set(tracked()), !full);
    if (flag.is_done()) EXPECT_GT(calls, 0);
    if (full) EXPECT_GT(made, 0);
  }
  once_cell<tracked> cell;
  astd::once_flag flag;
  int made = 0, calls = 0;
};
ASTD_SCENARIO(once_cells);
}  // namespace

ASTD_OPERATION(locked_values) {
  locked<tracked> value;
  shared_locked<tracked> shared;
  auto uses = [](locked<tracked>& one, shared_locked<tracked>& many) -> task<> {
    {
      auto guard = co_await one.lock();
      *guard = tracked();
      co_await this_task::yield();
    }
    auto looking = co_await many.lock_upgrade();
    co_await this_task::yield();
    auto writing = co_await looking.upgrade();
    *writing = tracked();
  };
  co_await join(uses(value, shared), uses(value, shared));
}
