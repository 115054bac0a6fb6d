// Wakes from everywhere at once: none is lost.
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::flag;

/// A mailbox for numbers: threads put some in, one task takes them out.
class mailbox {
 public:
  void put(long n) {
    std::optional<waker> waiting;
    {
      std::lock_guard guard(lock_);
      content_ += n;
      waiting.swap(waiting_);
    }
    if (waiting) waiting->wake();
  }
  task<long> take() {
    auto look = [this](const waker& w) -> std::optional<long> {
      std::lock_guard guard(lock_);
      if (content_ != 0) return std::exchange(content_, 0);
      waiting_ = w;
      return std::nullopt;
    };
    auto n = co_await poll_fn(look);
    co_return n;
  }

 private:
  std::mutex lock_;
  long content_ = 0;
  std::optional<waker> waiting_;
};

task<> consumes(mailbox& from, long wanted) {
  for (long got = 0; got != wanted;) {
    auto n = co_await from.take();
    got += n;
  }
}

class wake_storm : public testing::TestWithParam<unsigned> {};

// 200,000 wakes of 100 tasks from four plain threads. A lost one and it never ends.
TEST_P(wake_storm, from_plain_threads) {
  runtime rt({.workers = GetParam(), .name = "storm"});
  constexpr int tasks = 100, threads = 4, rounds = ASTD_SANITIZED ? 100 : 500;
  std::vector<mailbox> boxes(tasks);
  std::vector<join_handle<>> handles;
  for (mailbox& b : boxes) handles.push_back(rt.spawn(consumes(b, threads * rounds)));
  std::vector<std::thread> senders;
  for (int t = 0; t < threads; ++t)
    senders.emplace_back([&boxes, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int r = 0; r < rounds; ++r) {
        for (mailbox& b : boxes) b.put(1);
        // Now and then everybody has time to fall asleep.
        if (random() % 64 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 200));
      }
    });
  for (auto& h : handles) rt.block_on(h);
  for (std::thread& t : senders) t.join();
}

// One wake at a time, each when the worker is asleep or about to be.
TEST_P(wake_storm, one_by_one) {
  runtime rt({.workers = GetParam(), .name = "storm"});
  mailbox there;
  std::atomic<long> back = 0;
  constexpr long rounds = ASTD_SANITIZED ? 2'000 : 10'000;
  auto answers = [&]() -> task<> {
    for (long i = 0; i < rounds; ++i) {
      auto n = co_await there.take();
      back += n;
    }
  };
  auto h = rt.spawn(answers);
  std::mt19937 random(1);
  for (long i = 0; i < rounds; ++i) {
    there.put(1);
    while (back.load() != i + 1) std::this_thread::yield();
    for (volatile unsigned spin = random() % 3000; spin != 0; spin = spin - 1) {
    }
  }
  rt.block_on(h);
}

TEST_P(wake_storm, spawning_from_plain_threads) {
  runtime rt({.workers = GetParam(), .name = "storm"});
  std::atomic<long> ran = 0;
  auto counts = [](std::atomic<long>& n) -> task<> {
    ++n;
    co_return;
  };
  constexpr long rounds = ASTD_SANITIZED ? 3'000 : 20'000;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (long i = 0; i < rounds; ++i) {
        rt.spawn(counts, std::ref(ran)).detach();
        if (random() % 256 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 100));
      }
    });
  for (std::thread& t : threads) t.join();
  // Nothing else wakes the workers from here on.
  test::wait_until([&] { return ran == 3 * rounds; });
}

// A thread in block_on is woken as well as a worker.
TEST_P(wake_storm, of_local_tasks) {
  runtime rt({.workers = GetParam(), .name = "storm"});
  constexpr int threads = 3, rounds = ASTD_SANITIZED ? 1'000 : 5'000;
  std::vector<std::thread> sleepers;
  std::vector<mailbox> boxes(threads);
  for (mailbox& b : boxes)
    sleepers.emplace_back([&] {
      auto body = [&b]() -> task<> {
        auto h = spawn_local(consumes(b, 2 * rounds));
        co_await h;
      };
      rt.block_on(body());
    });
  auto sends = [&boxes]() -> task<> {
    for (int r = 0; r < rounds; ++r) {
      for (mailbox& b : boxes) b.put(1);
      if (r % 16 == 0) co_await this_task::yield();
    }
  };
  auto by_task = rt.spawn(sends);
  for (int r = 0; r < rounds; ++r)
    for (mailbox& b : boxes) b.put(1);
  rt.block_on(by_task);
  for (std::thread& t : sleepers) t.join();
}

// Tasks that hand work around in a ring, on all workers, with more of them than run at a time.
TEST_P(wake_storm, between_tasks) {
  runtime rt({.workers = GetParam(), .name = "storm"});
  constexpr int tasks = 50;
  constexpr long rounds = ASTD_SANITIZED ? 200 : 1'000;
  std::vector<mailbox> ring(tasks);
  auto passes_on = [](mailbox& from, mailbox& to) -> task<> {
    for (long got = 0; got < 10 * rounds;) {  // what comes together may be more
      auto n = co_await from.take();
      got += n;
      to.put(n);
    }
  };
  std::vector<join_handle<>> handles;
  for (int i = 0; i < tasks; ++i)
    handles.push_back(rt.spawn(passes_on, std::ref(ring[static_cast<std::size_t>(i)]),
                               std::ref(ring[static_cast<std::size_t>((i + 1) % tasks)])));
  for (int k = 0; k < 10; ++k) ring[static_cast<std::size_t>(k * 5)].put(1);
  for (auto& h : handles) rt.block_on(h);
}

INSTANTIATE_TEST_SUITE_P(workers, wake_storm, testing::Values(1u, 2u, 3u));

}  // namespace
