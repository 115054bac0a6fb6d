#include <astd/condition_variable.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/mutex.hpp>
#include <astd/sync/test_support.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using astd::condition_variable;
using astd::cv_status;
using test::flag;
using test::in_order;
using test::one_worker;
using test::settle;

constinit astd::condition_variable global_cv("global");

bool is_free(astd::mutex& m) { return m.try_lock().has_value(); }

struct shared {
  astd::mutex m{"state"};
  condition_variable cv{"changed"};
  std::vector<int> order;
  int tokens = 0;
};

task<> waits(shared& s, int number) {
  auto guard = co_await s.m.lock();
  co_await s.cv.wait(guard);
  EXPECT_TRUE(guard.owns_lock());
  EXPECT_EQ(guard.mutex(), &s.m);
  EXPECT_FALSE(is_free(s.m));
  s.order.push_back(number);
}

ASTD_TEST_WITH(condition_variable, notify_one_wakes_in_the_order_of_arrival, one_worker()) {
  shared s;
  in_order tasks;
  for (int i = 0; i < 4; ++i) co_await tasks.spawn(&waits, std::ref(s), i);
  EXPECT_TRUE(is_free(s.m));
  for (int i = 0; i < 4; ++i) {
    s.cv.notify_one();
    co_await settle();
    EXPECT_EQ(s.order.size(), static_cast<std::size_t>(i + 1));
  }
  co_await tasks.join();
  EXPECT_EQ(s.order, (std::vector{0, 1, 2, 3}));
  EXPECT_TRUE(is_free(s.m));
}

ASTD_TEST_WITH(condition_variable, notify_all_wakes_all_one_by_one, one_worker()) {
  shared s;
  in_order tasks;
  for (int i = 0; i < 10; ++i) co_await tasks.spawn(&waits, std::ref(s), i);
  auto guard = co_await s.m.lock();
  s.cv.notify_all();
  co_await settle();
  EXPECT_TRUE(s.order.empty());
  guard.unlock();
  co_await tasks.join();
  EXPECT_EQ(s.order, (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

ASTD_TEST_WITH(condition_variable, a_notification_that_finds_nobody_is_lost, one_worker()) {
  shared s;
  global_cv.notify_one();
  global_cv.notify_all();
  auto guard = co_await s.m.lock();
  const auto status = co_await global_cv.wait_for(guard, 1s);
  EXPECT_EQ(status, cv_status::timeout);
  EXPECT_FALSE(is_free(s.m));
}

ASTD_TEST_WITH(condition_variable, a_predicate_is_waited_for, one_worker()) {
  shared s;
  auto consumes = [](shared& from) -> task<> {
    auto guard = co_await from.m.lock();
    for (int i = 0; i < 5; ++i) {
      co_await from.cv.wait(guard, [&from] { return from.tokens > 0; });
      --from.tokens;
    }
  };
  auto h = spawn(consumes, std::ref(s));
  for (int i = 0; i < 5; ++i) {
    {
      auto guard = co_await s.m.lock();
      ++s.tokens;
    }
    s.cv.notify_one();
    s.cv.notify_one();
    if (i % 2 == 0) co_await settle();
  }
  co_await h;
  EXPECT_EQ(s.tokens, 0);
}

ASTD_TEST_WITH(condition_variable, waits_for_a_while, one_worker()) {
  shared s;
  const auto begin = astd::steady_clock::now();
  auto guard = co_await s.m.lock();
  auto status = co_await s.cv.wait_for(guard, 2s);
  EXPECT_EQ(status, cv_status::timeout);
  EXPECT_EQ(astd::steady_clock::now() - begin, 2s);
  EXPECT_TRUE(guard.owns_lock());
  auto notifies = [](shared& on, bool changes) -> task<> {
    co_await this_task::sleep_for(1s);
    auto held = co_await on.m.lock();
    if (changes) ++on.tokens;
    on.cv.notify_one();
    co_await this_task::sleep_for(3s);
  };
  // The lock takes longer than the limit.
  auto h = spawn(notifies, std::ref(s), false);
  status = co_await s.cv.wait_until(guard, begin + 4s);
  EXPECT_EQ(status, cv_status::no_timeout);
  EXPECT_EQ(astd::steady_clock::now() - begin, 6s);
  h = spawn(notifies, std::ref(s), false);
  auto ready = [&s] { return s.tokens > 0; };
  bool came = co_await s.cv.wait_for(guard, 2s, ready);
  EXPECT_FALSE(came);
  EXPECT_EQ(astd::steady_clock::now() - begin, 10s);
  h = spawn(notifies, std::ref(s), true);
  came = co_await s.cv.wait_until(guard, begin + 1h, ready);
  EXPECT_TRUE(came);
  EXPECT_TRUE(guard.owns_lock());
  came = co_await s.cv.wait_for(guard, 0s, ready);
  EXPECT_TRUE(came);
  guard.unlock();
  co_await h;
}

// What is behind a wait, and the destructors of a stopped task, may rely on the lock.
ASTD_TEST_WITH(condition_variable, however_it_ends_the_lock_is_held, one_worker()) {
  shared s;
  struct counts_under_the_lock {
    shared& in;
    ~counts_under_the_lock() {
      EXPECT_FALSE(is_free(in.m));
      ++in.tokens;
    }
  };
  auto waiting = [](shared& on) -> task<> {
    auto guard = co_await on.m.lock();
    const counts_under_the_lock counts{on};
    co_await on.cv.wait(guard);
  };
  in_order tasks;
  co_await tasks.spawn(waiting, std::ref(s));
  co_await tasks.spawn(waiting, std::ref(s));
  EXPECT_TRUE(is_free(s.m));
  co_await tasks.cancel(0);
  EXPECT_EQ(s.tokens, 1);
  EXPECT_TRUE(is_free(s.m));
  // While somebody else has it, that takes until it is free.
  auto guard = co_await s.m.lock();
  tasks[1].request_cancel();
  co_await settle();
  EXPECT_FALSE(tasks[1].is_finished());
  guard.unlock();
  co_await tasks.cancel(1);
  EXPECT_EQ(s.tokens, 2);
  EXPECT_TRUE(is_free(s.m));

  guard = co_await s.m.lock();
  const auto r = co_await as_result(timeout(1s, s.cv.wait(guard)));
  EXPECT_FALSE(r.has_value());
  EXPECT_TRUE(guard.owns_lock());
  EXPECT_FALSE(is_free(s.m));
}

ASTD_TEST_WITH(condition_variable, a_task_that_was_to_stop_before_does_not_wait, one_worker()) {
  shared s;
  auto waiting = [](shared& on) -> task<> {
    auto guard = co_await on.m.lock();
    this_task::request_cancel();
    co_await on.cv.wait(guard);
  };
  auto h = spawn(waiting, std::ref(s));
  const auto ended = co_await as_result(h);
  EXPECT_FALSE(ended.has_value());
  EXPECT_TRUE(is_free(s.m));
}

// Notified, waiting for the lock, and asked to stop: the next one is told.
ASTD_TEST_WITH(condition_variable, the_notification_of_a_cancelled_waiter_goes_to_the_next, one_worker()) {
  shared s;
  in_order tasks;
  for (int i = 0; i < 3; ++i) co_await tasks.spawn(&waits, std::ref(s), i);
  auto guard = co_await s.m.lock();
  s.cv.notify_one();
  tasks[0].request_cancel();
  co_await settle();
  guard.unlock();
  co_await tasks[1];
  co_await settle();
  EXPECT_FALSE(tasks[2].is_finished());
  s.cv.notify_one();
  co_await tasks[2];
  const auto ended = co_await tasks[0].cancel();
  static_cast<void>(ended);
}

// Producers and consumers on all workers; some consumers are cancelled and replaced. No token is left lying.
ASTD_TEST(condition_variable, no_notification_is_lost_under_cancellation) {
  shared s;
  std::atomic<int> taken = 0;
  constexpr int all = 3000;
  auto consumes = [](shared& from, std::atomic<int>& count) -> task<> {
    for (;;) {
      auto guard = co_await from.m.lock();
      while (from.tokens == 0) co_await from.cv.wait(guard);
      --from.tokens;
      ++count;
    }
  };
  std::vector<join_handle<>> consumers;
  for (int i = 0; i < 4; ++i) consumers.push_back(spawn(consumes, std::ref(s), std::ref(taken)));
  auto produces = [](shared& into) -> task<> {
    for (int i = 0; i < all; ++i) {
      auto guard = co_await into.m.lock();
      ++into.tokens;
      into.cv.notify_one();
      guard.unlock();
      if (i % 7 == 0) co_await this_task::yield();
    }
  };
  auto producer = spawn(produces, std::ref(s));
  for (int i = 0; i < 300; ++i) {
    auto& chosen = consumers[static_cast<std::size_t>(i % 3)];
    const auto ended = co_await chosen.cancel();
    static_cast<void>(ended);
    chosen = spawn(consumes, std::ref(s), std::ref(taken));
    co_await this_task::yield();
  }
  co_await producer;
  while (taken.load() != all) co_await this_task::yield();
  for (auto& h : consumers) {
    const auto ended = co_await h.cancel();
    static_cast<void>(ended);
  }
  EXPECT_TRUE(is_free(s.m));
}

TEST(condition_variable, plain_threads_use_it_without_a_runtime) {
  shared s;
  std::deque<int> queue;
  constexpr int all = 2000;
  std::thread consumer([&] {
    for (int i = 0; i < all; ++i) {
      auto guard = s.m.lock_blocking();
      if (i % 2 == 0)
        s.cv.wait_blocking(guard, [&] { return !queue.empty(); });
      else
        while (!s.cv.wait_for_blocking(guard, 1h, [&] { return !queue.empty(); })) {
        }
      EXPECT_EQ(queue.front(), i);
      queue.pop_front();
    }
  });
  for (int i = 0; i < all; ++i) {
    auto guard = s.m.lock_blocking();
    queue.push_back(i);
    s.cv.notify_one();
  }
  consumer.join();
  auto guard = s.m.lock_blocking();
  EXPECT_EQ(s.cv.wait_for_blocking(guard, 1ms), cv_status::timeout);
  EXPECT_EQ(s.cv.wait_until_blocking(guard, std::chrono::steady_clock::now()), cv_status::timeout);
  EXPECT_FALSE(s.cv.wait_for_blocking(guard, 1ms, [] { return false; }));
  EXPECT_TRUE(guard.owns_lock());
  EXPECT_FALSE(is_free(s.m));
}

ASTD_TEST(condition_variable, a_dump_says_what_is_waited_for) {
  shared s;
  runtime rt({.workers = 1});
  auto h = rt.spawn(waits(s, 1));
  test::wait_for_dump(rt, {"waits in condition_variable 'changed'"});
  flag began;
  auto holds = [](astd::mutex& m, flag& f) -> task<> {
    auto guard = co_await m.lock();
    f.set();
    co_await pending();
  };
  auto holder = rt.spawn(holds, std::ref(s.m), std::ref(began));
  co_await began.wait();
  s.cv.notify_one();
  test::wait_for_dump(rt, {"waits in lock of mutex 'state', held by task " + std::to_string(holder.id()) +
                           ", behind condition_variable 'changed'"});
  const auto ended = co_await holder.cancel();
  static_cast<void>(ended);
  co_await h;
}

TEST(condition_variable, waits_for_ever_if_told_so) {
  astd::mutex m;
  astd::condition_variable cv;
  bool ready = false;
  std::thread other([&] {
    auto guard = m.lock_blocking();
    ready = true;
    cv.notify_one();
  });
  auto guard = m.lock_blocking();
  EXPECT_TRUE(cv.wait_for_blocking(guard, std::chrono::hours::max(), [&] { return ready; }));
  guard.unlock();
  other.join();
}

}  // namespace
