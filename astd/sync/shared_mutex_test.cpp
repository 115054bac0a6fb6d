#include <astd/coro/as_result.hpp>
#include <astd/shared_mutex.hpp>
#include <astd/sync/test_support.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::flag;
using test::in_order;
using test::one_worker;
using test::settle;

constinit astd::shared_mutex global_mutex("global");

template <class G>
concept downgrades = requires(G g) { g.downgrade(); };
template <class G>
concept upgrades = requires(G g) { g.upgrade(); };
static_assert(downgrades<shared_mutex_guard> && !upgrades<shared_mutex_guard>);
static_assert(downgrades<shared_mutex_upgrade_guard> && upgrades<shared_mutex_upgrade_guard>);
static_assert(!downgrades<shared_mutex_shared_guard> && !upgrades<shared_mutex_shared_guard>);
static_assert(!std::is_move_constructible_v<astd::shared_mutex>);

bool is_free(astd::shared_mutex& m) { return m.try_lock().has_value(); }
bool readable(astd::shared_mutex& m) { return m.try_lock_shared().has_value(); }
bool upgradable(astd::shared_mutex& m) { return m.try_lock_upgrade().has_value(); }

ASTD_TEST(shared_mutex, many_read_or_one_writes) {
  {
    auto first = co_await global_mutex.lock_shared();
    auto second = co_await global_mutex.lock_shared();
    EXPECT_FALSE(is_free(global_mutex));
    EXPECT_TRUE(readable(global_mutex));
    EXPECT_TRUE(upgradable(global_mutex));
    first.unlock();
    first.unlock();
    EXPECT_FALSE(is_free(global_mutex));
  }
  {
    auto guard = co_await global_mutex.lock();
    EXPECT_EQ(guard.mutex(), &global_mutex);
    EXPECT_FALSE(is_free(global_mutex));
    EXPECT_FALSE(readable(global_mutex));
    EXPECT_FALSE(upgradable(global_mutex));
  }
  {
    auto guard = co_await global_mutex.lock_upgrade();
    EXPECT_TRUE(readable(global_mutex));
    EXPECT_FALSE(upgradable(global_mutex));
    EXPECT_FALSE(is_free(global_mutex));
  }
  EXPECT_TRUE(is_free(global_mutex));
}

ASTD_TEST(shared_mutex, guards_can_be_moved_and_given_up) {
  astd::shared_mutex m;
  auto first = co_await m.lock_shared();
  auto second = std::move(first);
  EXPECT_FALSE(first.owns_lock());  // NOLINT: what a moved-from guard is, is specified
  first = co_await m.lock_shared();
  second = std::move(first);
  EXPECT_TRUE(second);
  astd::shared_mutex* const held = second.release();
  EXPECT_FALSE(is_free(m));
  shared_mutex_shared_guard(*held).unlock();
  EXPECT_TRUE(is_free(m));
}

ASTD_TEST(shared_mutex, is_downgraded_and_upgraded) {
  astd::shared_mutex m;
  auto writing = co_await m.lock();
  auto looking = writing.downgrade_to_upgradable();
  EXPECT_FALSE(writing.owns_lock());
  EXPECT_TRUE(readable(m));
  {
    auto reading = co_await m.lock_shared();
    EXPECT_FALSE(looking.try_upgrade().has_value());
    EXPECT_TRUE(looking.owns_lock());
  }
  auto again = looking.try_upgrade();
  EXPECT_TRUE(again.has_value());
  EXPECT_FALSE(looking.owns_lock());
  EXPECT_FALSE(readable(m));
  looking = again->downgrade_to_upgradable();
  writing = co_await looking.upgrade();
  EXPECT_FALSE(readable(m));
  auto reading = writing.downgrade();
  EXPECT_TRUE(readable(m));
  EXPECT_TRUE(upgradable(m));
  EXPECT_FALSE(is_free(m));
  reading.unlock();
  looking = co_await m.lock_upgrade();
  reading = looking.downgrade();
  EXPECT_TRUE(upgradable(m));
  reading.unlock();
  EXPECT_TRUE(is_free(m));
}

task<> reads(astd::shared_mutex& m, std::string& log, flag& leave) {
  auto guard = co_await m.lock_shared();
  log += 'r';
  co_await leave.wait();
}
task<> writes(astd::shared_mutex& m, std::string& log, flag& leave) {
  auto guard = co_await m.lock();
  log += 'w';
  co_await leave.wait();
}

// A writer that waits keeps new readers out; behind it all readers come in together, up to the next writer.
ASTD_TEST_WITH(shared_mutex, is_fair, one_worker()) {
  astd::shared_mutex m;
  std::string log;
  std::array<flag, 6> leave;
  in_order tasks;
  co_await tasks.spawn(&reads, std::ref(m), std::ref(log), std::ref(leave[0]));
  co_await tasks.spawn(&writes, std::ref(m), std::ref(log), std::ref(leave[1]));
  co_await tasks.spawn(&reads, std::ref(m), std::ref(log), std::ref(leave[2]));
  co_await tasks.spawn(&reads, std::ref(m), std::ref(log), std::ref(leave[3]));
  co_await tasks.spawn(&writes, std::ref(m), std::ref(log), std::ref(leave[4]));
  co_await tasks.spawn(&reads, std::ref(m), std::ref(log), std::ref(leave[5]));
  EXPECT_EQ(log, "r");
  EXPECT_FALSE(readable(m));
  leave[0].set();
  co_await settle();
  EXPECT_EQ(log, "rw");
  leave[1].set();
  co_await settle();
  EXPECT_EQ(log, "rwrr");
  leave[2].set();
  co_await settle();
  EXPECT_EQ(log, "rwrr");
  leave[3].set();
  co_await settle();
  EXPECT_EQ(log, "rwrrw");
  leave[4].set();
  co_await settle();
  EXPECT_EQ(log, "rwrrwr");
  leave[5].set();
  co_await tasks.join();
  EXPECT_TRUE(is_free(m));
}

ASTD_TEST_WITH(shared_mutex, a_cancelled_writer_lets_the_readers_behind_it_in, one_worker()) {
  astd::shared_mutex m;
  std::string log;
  std::array<flag, 4> leave;
  in_order tasks;
  co_await tasks.spawn(&reads, std::ref(m), std::ref(log), std::ref(leave[0]));
  co_await tasks.spawn(&writes, std::ref(m), std::ref(log), std::ref(leave[1]));
  co_await tasks.spawn(&reads, std::ref(m), std::ref(log), std::ref(leave[2]));
  co_await tasks.cancel(1);
  co_await settle();
  EXPECT_EQ(log, "rr");
  leave[0].set();
  leave[2].set();
  co_await tasks[0];
  co_await tasks[2];
  EXPECT_TRUE(is_free(m));
}

// Downgrading lets in the readers at the front, but no writer.
ASTD_TEST_WITH(shared_mutex, a_downgrade_lets_readers_in, one_worker()) {
  astd::shared_mutex m;
  std::string log;
  std::array<flag, 3> leave;
  auto writing = co_await m.lock();
  in_order tasks;
  co_await tasks.spawn(&reads, std::ref(m), std::ref(log), std::ref(leave[0]));
  co_await tasks.spawn(&reads, std::ref(m), std::ref(log), std::ref(leave[1]));
  co_await tasks.spawn(&writes, std::ref(m), std::ref(log), std::ref(leave[2]));
  auto reading = writing.downgrade();
  co_await settle();
  EXPECT_EQ(log, "rr");
  for (flag& f : leave) f.set();
  co_await settle();
  EXPECT_EQ(log, "rr");
  reading.unlock();
  co_await tasks.join();
  EXPECT_EQ(log, "rrw");
}

// No writer comes in between, though one has waited longer, and no new reader.
ASTD_TEST_WITH(shared_mutex, an_upgrade_goes_before_all, one_worker()) {
  astd::shared_mutex m;
  std::string log;
  std::array<flag, 3> leave;
  in_order tasks;
  auto looking = co_await m.lock_upgrade();
  co_await tasks.spawn(&reads, std::ref(m), std::ref(log), std::ref(leave[0]));
  co_await tasks.spawn(&writes, std::ref(m), std::ref(log), std::ref(leave[1]));
  auto upgrade = [](shared_mutex_upgrade_guard& from, std::string& into, flag& f) -> task<> {
    auto writing = co_await from.upgrade();
    into += 'u';
    co_await f.wait();
  };
  co_await tasks.spawn(upgrade, std::ref(looking), std::ref(log), std::ref(leave[2]));
  EXPECT_FALSE(readable(m));
  EXPECT_TRUE(looking.owns_lock());
  leave[0].set();
  co_await settle();
  EXPECT_EQ(log, "ru");
  EXPECT_FALSE(looking.owns_lock());
  leave[2].set();
  co_await settle();
  EXPECT_EQ(log, "ruw");
  leave[1].set();
  co_await tasks.join();
}

ASTD_TEST_WITH(shared_mutex, an_upgrade_that_times_out_keeps_what_it_had, one_worker()) {
  astd::shared_mutex m;
  auto reading = co_await m.lock_shared();
  auto looking = co_await m.lock_upgrade();
  const auto r = co_await as_result(timeout(1s, looking.upgrade()));
  EXPECT_FALSE(r.has_value());
  EXPECT_TRUE(looking.owns_lock());
  EXPECT_TRUE(readable(m));
  reading.unlock();
  {
    auto writing = co_await looking.upgrade();
    EXPECT_FALSE(readable(m));
  }
  EXPECT_TRUE(is_free(m));
}

// Readers never see what a writer has half done.
ASTD_TEST(shared_mutex, readers_see_no_half_written_state) {
  astd::shared_mutex m;
  std::array<int, 4> numbers{};
  auto writer = [&](int i) -> task<> {
    for (int n = 0; n < 200; ++n) {
      shared_mutex_guard guard;
      if (i % 2 == 0) {
        guard = co_await m.lock();
      } else {
        auto looking = co_await m.lock_upgrade();
        const int before = numbers[0];
        guard = co_await looking.upgrade();
        EXPECT_EQ(numbers[0], before);
      }
      for (int& x : numbers) {
        ++x;
        if (n % 16 == 0) co_await this_task::yield();
      }
    }
  };
  auto reader = [&](int) -> task<> {
    for (int n = 0; n < 200; ++n) {
      auto guard = co_await m.lock_shared();
      for (const int x : numbers) {
        EXPECT_EQ(x, numbers[0]);
        if (n % 16 == 0) co_await this_task::yield();
      }
    }
  };
  std::vector<join_handle<>> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(spawn(writer(i)));
    all.push_back(spawn(reader(i)));
  }
  for (auto& h : all) co_await h;
  EXPECT_EQ(numbers[3], 2000);
}

TEST(shared_mutex, plain_threads_use_it_without_a_runtime) {
  astd::shared_mutex m;
  long value = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int n = 0; n < 1000; ++n) {
        if (i == 0) {
          auto guard = m.lock_blocking();
          ++value;
        } else if (i == 1) {
          auto looking = m.lock_upgrade_blocking();
          const long before = value;
          auto guard = looking.upgrade_blocking();
          EXPECT_EQ(value, before);
          ++value;
        } else {
          auto guard = m.lock_shared_blocking();
          const long before = value;
          std::this_thread::yield();
          EXPECT_EQ(value, before);
        }
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(value, 2000);
}

ASTD_TEST(shared_mutex, a_dump_says_who_has_it) {
  astd::shared_mutex m("state");
  runtime rt({.workers = 1});
  auto lock = [](astd::shared_mutex& on) -> task<> { auto guard = co_await on.lock(); };
  auto lock_shared = [](astd::shared_mutex& on) -> task<> { auto guard = co_await on.lock_shared(); };
  auto lock_upgrade = [](astd::shared_mutex& on) -> task<> { auto guard = co_await on.lock_upgrade(); };
  auto upgrade = [](shared_mutex_upgrade_guard& from) -> task<> { auto guard = co_await from.upgrade(); };
  flag began;
  auto holds = [](astd::shared_mutex& on, flag& f) -> task<> {
    auto guard = co_await on.lock();
    f.set();
    co_await pending();
  };
  auto holder = rt.spawn(holds, std::ref(m), std::ref(began));
  co_await began.wait();
  const std::string id = std::to_string(holder.id());
  auto first = rt.spawn(lock(m));
  auto second = rt.spawn(lock_shared(m));
  auto third = rt.spawn(lock_upgrade(m));
  test::wait_for_dump(rt, {"waits in lock of shared_mutex 'state', held by task " + id,
                           "waits in shared lock of shared_mutex 'state', held by task " + id,
                           "waits in upgradable lock of shared_mutex 'state', held by task " + id});
  const auto ended = co_await holder.cancel();
  static_cast<void>(ended);
  co_await first;
  co_await second;
  co_await third;

  auto reading = co_await m.lock_shared();
  first = rt.spawn(lock(m));
  test::wait_for_dump(rt, {"waits in lock of shared_mutex 'state', held by 1 reader"});
  reading.unlock();
  co_await first;
  reading = co_await m.lock_shared();
  auto looking = co_await m.lock_upgrade();
  first = rt.spawn(upgrade(looking));
  test::wait_for_dump(rt, {"waits in upgrade of shared_mutex 'state', held by task ", " and by 1 reader"});
  reading.unlock();
  co_await first;
}

}  // namespace
