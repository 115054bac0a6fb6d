#include <astd/base/config.hpp>
#include <astd/runtime/blocking_operations.hpp>
#include <astd/runtime/blocking_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace astd::detail {
namespace {

constexpr instant milliseconds = 1'000'000;

struct test_job : job {
  explicit test_job(std::function<void()> f) : function(std::move(f)) {
    run = [](job& j) noexcept { static_cast<test_job&>(j).function(); };
  }
  std::function<void()> function;
};

// A door that jobs wait at.
class gate {
 public:
  void open() {
    std::lock_guard guard(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void until_waiting(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

// Waits for what other threads will bring about; the test's own time limit ends it if they do not.
template <class Condition>
void eventually(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::microseconds(200));
}

TEST(blocking_pool, runs_a_job_on_a_thread_of_its_own) {
  blocking_pool pool({.thread_name = "a-blocking-name"});
  gate done;
  std::string name;
  std::thread::id id;
  test_job job([&] {
    char buffer[16] = {};
    pthread_getname_np(pthread_self(), buffer, sizeof buffer);
    name = buffer;
    id = std::this_thread::get_id();
    done.open();
  });
  pool.submit(job);
  done.pass();
  EXPECT_NE(id, std::this_thread::get_id());
#if defined(__linux__)
  EXPECT_EQ(name, "a-blocking-name");
#endif
  eventually([&] { return pool.measure().completed == 1; });
  EXPECT_EQ(pool.measure().queued, 0u);
}

TEST(blocking_pool, ends_without_ever_having_worked) {
  for (int i = 0; i < 100; ++i) blocking_pool pool({});
}

TEST(blocking_pool, twenty_sleepers_get_twenty_threads_and_the_pool_shrinks_again) {
  blocking_pool pool({.keep_alive = 50 * milliseconds});
  for (int round = 0; round < 3; ++round) {
    gate door;
    std::vector<std::unique_ptr<test_job>> jobs;
    for (int i = 0; i < 20; ++i) jobs.push_back(std::make_unique<test_job>([&] { door.pass(); }));
    for (auto& job : jobs) pool.submit(*job);
    door.until_waiting(20);
    EXPECT_EQ(pool.measure().threads, 20u);
    EXPECT_EQ(pool.measure().idle, 0u);
    door.open();
    eventually([&] { return pool.measure().completed == 20u * static_cast<unsigned>(round + 1); });
    eventually([&] { return pool.measure().threads == 1; });
    eventually([&] { return pool.measure().idle == 1; });
  }
}

TEST(blocking_pool, an_idle_thread_is_used_before_a_new_one_and_the_most_recent_first) {
  blocking_pool pool({});
  gate door;
  std::vector<std::unique_ptr<test_job>> jobs;
  for (int i = 0; i < 5; ++i) jobs.push_back(std::make_unique<test_job>([&] { door.pass(); }));
  for (auto& job : jobs) pool.submit(*job);
  door.until_waiting(5);
  door.open();
  eventually([&] { return pool.measure().idle == 5; });
  // One after the other: the same thread each time.
  std::thread::id first;
  for (int i = 0; i < 50; ++i) {
    std::thread::id id;
    gate done;
    test_job job([&] {
      id = std::this_thread::get_id();
      done.open();
    });
    pool.submit(job);
    done.pass();
    eventually([&] { return pool.measure().idle == 5; });
    if (i == 0) first = id;
    EXPECT_EQ(id, first);
  }
  EXPECT_EQ(pool.measure().threads, 5u);
}

TEST(blocking_pool, never_more_threads_than_allowed_and_first_in_first_out) {
  blocking_pool pool({.max_threads = 1});
  gate door;
  test_job first([&] { door.pass(); });
  pool.submit(first);
  door.until_waiting(1);
  std::vector<int> order;
  std::vector<std::unique_ptr<test_job>> jobs;
  for (int i = 0; i < 100; ++i) jobs.push_back(std::make_unique<test_job>([&order, i] { order.push_back(i); }));
  for (auto& job : jobs) pool.submit(*job);
  EXPECT_EQ(pool.measure().threads, 1u);
  EXPECT_EQ(pool.measure().queued, 100u);
  door.open();
  pool.shutdown();
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(blocking_pool, the_limit_is_reached_and_not_passed) {
  gate door;
  std::vector<std::unique_ptr<test_job>> jobs;
  for (int i = 0; i < 200; ++i) jobs.push_back(std::make_unique<test_job>([&] { door.pass(); }));
  blocking_pool pool({.max_threads = 4});
  for (auto& job : jobs) pool.submit(*job);
  door.until_waiting(4);
  EXPECT_EQ(pool.measure().threads, 4u);
  EXPECT_EQ(pool.measure().queued, 196u);
  door.open();
  pool.shutdown();
  EXPECT_EQ(pool.measure().completed, 200u);
}

TEST(blocking_pool, withdraws_what_has_not_started) {
  blocking_pool pool({.max_threads = 1});
  gate door;
  bool ran[4] = {};
  test_job busy([&] { door.pass(); });
  test_job a([&] { ran[0] = true; }), b([&] { ran[1] = true; }), c([&] { ran[2] = true; }),
      d([&] { ran[3] = true; });
  EXPECT_FALSE(pool.withdraw(a)) << "was never submitted";
  pool.submit(busy);
  door.until_waiting(1);
  for (test_job* job : {&a, &b, &c, &d}) pool.submit(*job);
  EXPECT_FALSE(pool.withdraw(busy)) << "has started";
  EXPECT_TRUE(pool.withdraw(b));  // from the middle,
  EXPECT_TRUE(pool.withdraw(d));  // the end
  EXPECT_TRUE(pool.withdraw(a));  // and the beginning
  EXPECT_FALSE(pool.withdraw(a));
  EXPECT_EQ(pool.measure().queued, 1u);
  pool.submit(a);  // and once more
  door.open();
  pool.shutdown();
  EXPECT_TRUE(ran[0]);
  EXPECT_FALSE(ran[1]);
  EXPECT_TRUE(ran[2]);
  EXPECT_FALSE(ran[3]);
  EXPECT_FALSE(pool.withdraw(c)) << "has run";
  EXPECT_EQ(pool.measure().completed, 3u);
}

TEST(blocking_pool, does_not_take_what_was_withdrawn_before_it_came) {
  blocking_pool pool({.max_threads = 1});
  bool ran = false;
  test_job early([&] { ran = true; });
  EXPECT_FALSE(pool.withdraw(early));
  EXPECT_EQ(pool.try_submit(early), blocking_pool::submission::unwanted);
  test_job other([] {});
  EXPECT_EQ(pool.try_submit(other), blocking_pool::submission::queued);
  pool.shutdown();
  EXPECT_FALSE(ran);
  EXPECT_EQ(pool.measure().completed, 1u);
}

TEST(blocking_pool, shutdown_runs_what_is_queued_and_what_that_submits) {
  std::atomic<int> ran = 0;
  std::vector<std::unique_ptr<test_job>> jobs;
  blocking_pool pool({.max_threads = 2});
  test_job last([&] { ++ran; });
  test_job submits([&] {
    ++ran;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    pool.submit(last);
  });
  for (int i = 0; i < 50; ++i) jobs.push_back(std::make_unique<test_job>([&] { ++ran; }));
  for (auto& job : jobs) pool.submit(*job);
  pool.submit(submits);
  pool.shutdown();
  EXPECT_EQ(ran, 52);
  EXPECT_EQ(pool.measure().threads, 0u);
  EXPECT_EQ(pool.measure().completed, 52u);
  pool.shutdown();
}

TEST(blocking_pool, shutdown_waits_for_what_was_withdrawn_no_longer) {
  blocking_pool pool({.max_threads = 1});
  gate door;
  test_job busy([&] { door.pass(); });
  test_job never_run([] { FAIL(); });
  pool.submit(busy);
  door.until_waiting(1);
  pool.submit(never_run);
  std::thread ending([&] { pool.shutdown(); });
  EXPECT_TRUE(pool.withdraw(never_run));
  door.open();
  ending.join();
}

// Jobs from four threads, a good part of them withdrawn again: each runs once or is withdrawn.
TEST(blocking_pool, storm) {
  constexpr int threads = 4;
  constexpr int per_thread = ASTD_SANITIZED ? 3'000 : 20'000;
  for (const unsigned limit : {1u, 3u, 32u}) {
    std::atomic<int> ran = 0;
    std::atomic<int> withdrawn = 0;
    std::vector<std::vector<std::unique_ptr<test_job>>> jobs(threads);
    blocking_pool pool({.max_threads = limit, .keep_alive = milliseconds / 2});
    std::vector<std::thread> submitters;
    for (unsigned t = 0; t < threads; ++t) {
      submitters.emplace_back([&, t] {
        std::mt19937 random(t);
        for (int i = 0; i < per_thread; ++i) {
          auto& job = jobs[t].emplace_back(std::make_unique<test_job>([&ran] { ++ran; }));
          pool.submit(*job);
          if (random() % 4 == 0 && pool.withdraw(*jobs[t][random() % jobs[t].size()])) ++withdrawn;
          if (random() % 1000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      });
    }
    for (std::thread& t : submitters) t.join();
    pool.shutdown();
    EXPECT_EQ(ran + withdrawn, threads * per_thread);
    EXPECT_EQ(pool.measure().completed, static_cast<unsigned>(ran.load()));
  }
}

// ---- threads that the system refuses

std::atomic<int> threads_granted = 0;
std::atomic<int> threads_refused = 0;

int start_while_granted(void* (*run)(void*), void* argument) noexcept {
  if (threads_granted.fetch_sub(1) > 0) return start_thread(run, argument);
  ++threads_granted;
  ++threads_refused;
  return EAGAIN;
}

TEST(blocking_pool, no_first_thread_is_an_error_with_a_name) {
  threads_granted = 0;
  try {
    blocking_pool pool({.thread_name = "io-helper", .start_thread = start_while_granted});
    FAIL() << "no exception";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::resource_unavailable_try_again);
    EXPECT_NE(std::string(e.what()).find("io-helper"), std::string::npos) << e.what();
  }
}

TEST(blocking_pool, jobs_make_do_with_the_threads_there_are) {
  threads_granted = 2;
  threads_refused = 0;
  gate door;
  std::atomic<int> ran = 0;
  std::vector<std::unique_ptr<test_job>> jobs;
  blocking_pool pool({.start_thread = start_while_granted});
  test_job one([&] { door.pass(); }), two([&] { door.pass(); });
  pool.submit(one);
  pool.submit(two);
  door.until_waiting(2);
  for (int i = 0; i < 20; ++i) jobs.push_back(std::make_unique<test_job>([&] { ++ran; }));
  for (auto& job : jobs) pool.submit(*job);
  EXPECT_GE(threads_refused, 20);
  EXPECT_EQ(pool.measure().threads, 2u);
  EXPECT_EQ(pool.measure().queued, 20u);
  // A later job gets a thread again, and that one takes the older jobs first.
  threads_granted = 1;
  test_job three([&] { ++ran; });
  pool.submit(three);
  eventually([&] { return ran == 21; });
  door.open();
  pool.shutdown();
}

TEST(blocking_pool, storm_with_refusals) {
  constexpr int count = ASTD_SANITIZED ? 5'000 : 50'000;
  threads_granted = 1;
  std::atomic<int> ran = 0;
  std::vector<std::unique_ptr<test_job>> jobs;
  for (int i = 0; i < count; ++i) jobs.push_back(std::make_unique<test_job>([&] { ++ran; }));
  blocking_pool pool({.max_threads = 8, .keep_alive = milliseconds / 10, .start_thread = start_while_granted});
  for (int i = 0; i < count; ++i) {
    pool.submit(*jobs[static_cast<std::size_t>(i)]);
    if (i % 16 == 0) threads_granted = i / 16 % 2;
    // Idle threads end meanwhile, all but one.
    if (i % 256 == 0) eventually([&] { return ran == i + 1; });
  }
  eventually([&] { return ran == count; });
  EXPECT_GE(pool.measure().threads, 1u);
}

gate* refusing = nullptr;

int refuse_in_a_while(void* (*run)(void*), void* argument) noexcept {
  if (threads_granted.fetch_sub(1) > 0) return start_thread(run, argument);
  refusing->pass();
  return EAGAIN;
}

TEST(blocking_pool, the_last_thread_does_not_trust_one_that_is_being_started) {
  threads_granted = 1;
  gate door, start;
  refusing = &start;
  std::atomic<int> ran = 0;
  test_job first([&] { door.pass(); });
  test_job second([&] { ++ran; });
  test_job third([&] { ++ran; });
  blocking_pool pool({.keep_alive = milliseconds, .start_thread = refuse_in_a_while});
  pool.submit(first);
  door.until_waiting(1);
  std::thread submitter([&] { pool.submit(second); });
  start.until_waiting(1);
  // The only thread takes the job that another is being started for, and then has nothing to do for long.
  door.open();
  eventually([&] { return ran == 1 && pool.measure().idle == 1; });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  start.open();
  submitter.join();
  pool.submit(third);
  eventually([&] { return ran == 2; });
  EXPECT_EQ(pool.measure().threads, 1u);
}

// ---- signals

std::atomic<pthread_t> handled_by{};

TEST(blocking_pool, leaves_signals_to_the_programs_own_threads) {
  struct sigaction action = {}, before = {};
  action.sa_handler = [](int) { handled_by = pthread_self(); };
  sigaction(SIGUSR1, &action, &before);
  gate door, checked;
  sigset_t mask;
  pthread_t pool_thread{};
  blocking_pool pool({});
  test_job job([&] {
    pool_thread = pthread_self();
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    door.pass();
  });
  pool.submit(job);
  door.until_waiting(1);
  EXPECT_TRUE(sigismember(&mask, SIGUSR1));
  EXPECT_TRUE(sigismember(&mask, SIGTERM));
  EXPECT_TRUE(sigismember(&mask, SIGCHLD));
  EXPECT_FALSE(sigismember(&mask, SIGSEGV));
  // This thread's own mask is as it was.
  sigset_t own;
  pthread_sigmask(SIG_BLOCK, nullptr, &own);
  EXPECT_FALSE(sigismember(&own, SIGUSR1));
  kill(getpid(), SIGUSR1);
  eventually([&] { return handled_by.load() != pthread_t{}; });
  EXPECT_FALSE(pthread_equal(handled_by, pool_thread));
  door.open();
  pool.shutdown();
  sigaction(SIGUSR1, &before, nullptr);
}

// ---- operations

struct test_operation : driver::operation {
  test_operation() {
    code = driver::opcode::read;
    completed = [](driver::operation& op) noexcept { static_cast<test_operation&>(op).ended.open(); };
  }
  gate ended;
};

TEST(blocking_operations, performs_and_completes) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  blocking_pool pool({});
  blocking_operations executor(pool);
  test_operation op;
  char c = 0;
  op.fd = ends[0];
  op.args.transfer = {&c, 1, 0, -1};
  executor.execute(op);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  op.ended.pass();
  EXPECT_EQ(op.result, 1);
  EXPECT_EQ(c, 'x');
  EXPECT_FALSE(executor.withdraw(op));
  pool.shutdown();
  close(ends[0]);
  close(ends[1]);
}

TEST(blocking_operations, withdraws) {
  blocking_pool pool({.max_threads = 1});
  blocking_operations executor(pool);
  gate door;
  test_job busy([&] { door.pass(); });
  pool.submit(busy);
  door.until_waiting(1);
  test_operation op;
  executor.execute(op);
  EXPECT_TRUE(executor.withdraw(op));
  EXPECT_FALSE(executor.withdraw(op));
  door.open();
  pool.shutdown();
}

}  // namespace
}  // namespace astd::detail
