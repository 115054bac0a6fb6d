// Coroutines that are not astd's, and awaiters of other libraries, together with tasks on workers.
#include <astd/coro/join.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <exception>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::flag;

/// The simplest coroutine there is: runs at once, is nobody's.
struct loose {
  struct promise_type {
    loose get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

task<int> doubles(int n) {
  const counted local;
  co_await this_task::yield();
  co_await this_task::sleep_for(100us);
  co_return 2 * n;
}

loose adds(int n, std::atomic<int>& sum, flag& done) {
  const counted local;
  auto twice = co_await doubles(n);
  auto h = spawn(doubles(n));
  auto again = co_await h;
  co_await this_task::sleep_for(100us);
  co_await this_task::yield();
  sum += twice + again;
  done.set();
}

TEST(foreign, a_loose_coroutine_on_a_plain_thread_awaits_tasks) {
  std::atomic<int> sum = 0;
  flag done[20];
  for (int i = 0; i < 20; ++i) adds(i, sum, done[i]);
  for (flag& f : done) f.block();
  EXPECT_EQ(sum, 4 * 190);
  test::wait_until([] { return counted::live() == 0; });
}

ASTD_TEST(foreign, a_loose_coroutine_in_a_task_awaits_tasks) {
  std::atomic<int> sum = 0;
  flag done[20];
  const task_id me = this_task::get_id();
  for (int i = 0; i < 20; ++i) adds(i, sum, done[i]);
  EXPECT_EQ(this_task::get_id(), me) << "it has run on our stack, but it was not us";
  for (flag& f : done) co_await f.wait();
  EXPECT_EQ(sum, 4 * 190);
}

loose sleeps(flag& done) {
  co_await this_task::sleep_for(100us);
  done.set();
}

// It outlives the block_on in which it began: its timers must not be left with that thread.
TEST(foreign, a_loose_coroutine_goes_on_when_block_on_has_returned) {
  std::atomic<int> sum = 0;
  flag done[20];
  flag slept;
  auto starts = [&]() -> task<> {
    for (int i = 0; i < 20; ++i) adds(i, sum, done[i]);
    sleeps(slept);
    co_return;
  };
  block_on(starts());
  for (flag& f : done) f.block();
  slept.block();
  EXPECT_EQ(sum, 4 * 190);
}

/// Threads that are joined at the end. Each begins its work when it has been entered here.
class own_threads {
 public:
  template <class F>
  void start(F work) {
    std::lock_guard guard(lock_);
    threads_.emplace_back([this, work] {
      {
        const std::lock_guard entered(lock_);
      }
      work();
    });
  }
  [[nodiscard]] std::thread::id last() {
    std::lock_guard guard(lock_);
    return threads_.back().get_id();
  }
  ~own_threads() {
    for (std::thread& t : threads_) t.join();
  }

 private:
  std::mutex lock_;
  std::vector<std::thread> threads_;
};

/// Resumes whoever awaits it on a thread of its own.
class on_another_thread {
 public:
  explicit on_another_thread(own_threads& threads) noexcept : threads_(threads) {}
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    threads_.start([h] { h.resume(); });
  }
  [[nodiscard]] std::thread::id await_resume() const noexcept { return std::this_thread::get_id(); }

 private:
  own_threads& threads_;
};
/// Resumes it before await_suspend returns.
class at_once {
 public:
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) const { h.resume(); }
  [[nodiscard]] int await_resume() const noexcept { return 3; }
};
/// Does not suspend after all.
class changes_its_mind {
 public:
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<>) const noexcept { return false; }
  [[nodiscard]] int await_resume() const noexcept { return 4; }
};

TEST(foreign, a_task_goes_on_on_a_worker) {
  runtime rt({.workers = 2, .name = "home"});
  own_threads threads;
  auto body = [&]() -> task<int> {
    int strayed = 0;
    const task_id me = this_task::get_id();
    for (int i = 0; i < 50; ++i) {
      const auto at = co_await on_another_thread(threads);
      strayed += at == threads.last();
      strayed += &runtime::current() != &rt;
      strayed += this_task::get_id() != me;
      auto three = co_await at_once();
      auto four = co_await changes_its_mind();
      strayed += three + four != 7;
      co_await this_task::yield();
    }
    co_return strayed;
  };
  EXPECT_EQ(rt.block_on(rt.spawn(body)), 0);
  const auto here = std::this_thread::get_id();
  auto stays = [&]() -> task<int> {
    int strayed = 0;
    for (int i = 0; i < 50; ++i) {
      const auto at = co_await on_another_thread(threads);
      strayed += at != here;
    }
    co_return strayed;
  };
  EXPECT_EQ(rt.block_on(stays()), 0) << "in block_on: on that thread";
}

TEST(foreign, a_task_that_waits_for_something_foreign_stops_when_that_has_resumed_it) {
  runtime rt({.workers = 2, .name = "home"});
  struct late {
    flag& go;
    own_threads& threads;
    flag& waiting;
    late(flag& g, own_threads& t, flag& w) noexcept : go(g), threads(t), waiting(w) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
      threads.start([this, h] {
        waiting.set();
        go.block();
        h.resume();
      });
    }
    void await_resume() const noexcept {}
  };
  flag go, waiting;
  own_threads threads;
  std::atomic<int> steps = 0;
  auto body = [&]() -> task<> {
    const counted local;
    ++steps;
    co_await late(go, threads, waiting);
    ++steps;
    co_await this_task::yield();
    ++steps;
  };
  auto h = rt.spawn(body);
  waiting.block();
  h.request_cancel();
  EXPECT_FALSE(h.is_finished());
  go.set();
  EXPECT_FALSE(rt.block_on(h.cancel()).has_value());
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(counted::live(), 0);
}

TEST(foreign, many_of_them_at_once) {
  runtime rt({.workers = 3, .name = "home"});
  std::vector<own_threads> threads(20);
  auto body = [](own_threads& own) -> task<> {
    for (int i = 0; i < 20; ++i) {
      auto both = co_await join(on_another_thread(own), doubles(i));
      EXPECT_EQ(std::get<1>(both), 2 * i);
    }
  };
  std::vector<join_handle<>> handles;
  for (auto& own : threads) handles.push_back(rt.spawn(body, std::ref(own)));
  for (auto& h : handles) rt.block_on(h);
}

}  // namespace
