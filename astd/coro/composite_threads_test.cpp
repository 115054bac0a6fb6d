// Composites whose branches end, fail and are cancelled on real threads at once. Meant for ThreadSanitizer; elsewhere a
// stress test.
#include <astd/base/config.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/select.hpp>
#include <astd/coro/shield.hpp>
#include <astd/coro/task.hpp>
#include <astd/coro/test_loop.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using test::counted;
using test::ending;
using test::test_run;
using test::threads_executor;

constexpr int rounds = ASTD_SANITIZED ? 3'000 : 15'000;

// An operation that ends on another thread, as soon as that gets to it, or when it is asked to stop: whoever is first.
class remote final : public detail::suspension, public detail::awaiter_base<remote> {
 public:
  using value_type = int;
  explicit remote(threads_executor& w) : world_(w), hop_(&arrive, this) {}
  bool await_ready() const noexcept { return false; }
  detail::resumable* start(const detail::await_context& c) noexcept {
    attach(c);
    if (!publish()) return stop();
    world_.schedule(hop_, detail::urgency::queued);
    return nullptr;
  }
  detail::outcome<int> take() noexcept {
    resumed();
    detail::outcome<int> o;
    o.set_value(1);
    return o;
  }
  // Like a kernel: the request is noted, and the operation ends when the world says so.
  void request_stop() noexcept override {
    asked_.store(true, std::memory_order_relaxed);
    stop_request_done();
  }
  void describe(std::string&, unsigned) const override {}

 private:
  static void arrive(detail::resumable* r) {
    auto& self = *static_cast<remote*>(r->second_);
    self.complete(self.asked_.load(std::memory_order_relaxed));
  }
  threads_executor& world_;
  detail::resumable hop_;
  std::atomic<bool> asked_{false};
};
class remote_awaitable {
 public:
  explicit remote_awaitable(threads_executor& w) : world_(&w) {}
  auto operator co_await() const { return remote(*world_); }

 private:
  threads_executor* world_;
};

enum class how { value, failure, exception };

task<int> branch(threads_executor& w, how h, int hops, counted = {}) {
  for (int i = 0; i != hops; ++i) {
    auto v = co_await remote_awaitable(w);
    if (v != 1) co_return -1;
  }
  if (h == how::failure) co_await fail(std::errc::io_error);
  if (h == how::exception) throw 42;
  co_return hops;
}

// Plays `make(i)` many times, on two threads, with two more to end its operations; every other time it is cancelled from
// here while it runs.
template <class Make, class Check>
void play(Make make, Check check) {
  threads_executor world(2), on(2);
  std::minstd_rand random(1);
  for (int i = 0; i != rounds; ++i) {
    test_run run(on, make(world, i));
    run.start();
    if (i % 2) {
      for (auto spin = random() % 2000; spin; --spin) std::atomic_signal_fence(std::memory_order_seq_cst);
      run.request_cancel();
    }
    run.wait();
    check(i, run);
  }
  EXPECT_EQ(counted::live(), 0);
}

TEST(composite_threads, join) {
  int stopped = 0;
  play(
      [](threads_executor& w, int i) -> task<int> {
        auto all = co_await join(branch(w, how::value, 1), branch(w, how::value, 1 + i % 3), remote_awaitable(w));
        co_return std::get<0>(all) + std::get<1>(all) + std::get<2>(all);
      },
      [&](int i, auto& run) {
        if (run.how() == ending::stopped)
          ++stopped;
        else
          EXPECT_EQ(run.value(), 3 + i % 3);
        if (i % 2 == 0) {
          EXPECT_EQ(run.how(), ending::value);
        }
      });
}

TEST(composite_threads, try_join_with_two_failures_at_once) {
  play(
      [](threads_executor& w, int i) -> task<int> {
        auto r = co_await as_result(
            try_join(branch(w, how::failure, 1), branch(w, how::failure, 1), branch(w, how::value, 1 + i % 3)));
        co_return r ? 0 : r.error().value();
      },
      [&](int i, auto& run) {
        if (i % 2 == 0) {
          ASSERT_EQ(run.how(), ending::value);
        }
        if (run.how() == ending::value) {
          EXPECT_EQ(run.value(), EIO);
        }
      });
}

TEST(composite_threads, race_with_two_winners_at_once) {
  play(
      [](threads_executor& w, int) -> task<int> {
        auto v = co_await race(branch(w, how::value, 1), branch(w, how::value, 1), branch(w, how::value, 1));
        co_return v;
      },
      [&](int i, auto& run) {
        if (i % 2 == 0) {
          ASSERT_EQ(run.how(), ending::value);
        }
        if (run.how() == ending::value) {
          EXPECT_EQ(run.value(), 1);
        }
      });
}

TEST(composite_threads, try_race_with_failures_and_a_winner) {
  play(
      [](threads_executor& w, int i) -> task<int> {
        auto v = co_await as_result(try_race(branch(w, how::failure, 1), branch(w, how::failure, 2),
                                             branch(w, i % 4 < 2 ? how::value : how::failure, 1)));
        co_return v ? *v : -1;
      },
      [&](int i, auto& run) {
        if (i % 2 == 0) {
          ASSERT_EQ(run.how(), ending::value);
          EXPECT_EQ(run.value(), i % 4 < 2 ? 1 : -1);
        }
      });
}

// Values are counted where they are made and where they are taken.
TEST(composite_threads, select_loses_nothing) {
  std::atomic<int> made{0}, taken{0};
  auto makes = [&](threads_executor& w, counted) -> task<int> {
    auto v = co_await remote_awaitable(w);
    made.fetch_add(v);
    co_return v;
  };
  play(
      [&](threads_executor& w, int) -> task<int> {
        auto s = co_await select(makes(w, {}), makes(w, {}), makes(w, {}));
        const int n = std::get<0>(s).value_or(0) + std::get<1>(s).value_or(0) + std::get<2>(s).value_or(0);
        taken.fetch_add(n);
        co_return n;
      },
      [&](int i, auto& run) {
        EXPECT_EQ(made.load(), taken.load());
        if (i % 2 == 0) {
          ASSERT_EQ(run.how(), ending::value);
          EXPECT_GT(run.value(), 0);
        }
      });
}

TEST(composite_threads, shield_and_finally) {
  std::atomic<int> begun{0}, cleaned{0};
  play(
      [&](threads_executor& w, int i) -> task<int> {
        auto cleanup = [&]() -> task<> {
          co_await remote_awaitable(w);
          cleaned.fetch_add(1);
        };
        begun.fetch_add(1);
        auto v =
            co_await finally(race(branch(w, how::value, 1), shield(branch(w, how::value, 1 + i % 2))), cleanup);
        co_return v;
      },
      [&](int i, auto& run) {
        EXPECT_EQ(begun.load(), i + 1);
        EXPECT_EQ(cleaned.load(), i + 1);
        if (i % 2 == 0) {
          ASSERT_EQ(run.how(), ending::value);
          (void)run.value();
        }
      });
}

TEST(composite_threads, nested_and_in_ranges) {
  play(
      [&](threads_executor& w, int i) -> task<int> {
        std::vector<task<int>> tasks;
        for (int k = 0; k != 4; ++k)
          tasks.push_back(branch(w, k == 3 && i % 3 == 0 ? how::exception : how::value, 1 + k % 2));
        try {
          auto all = co_await try_join(join(std::move(tasks)), race(branch(w, how::value, 2), pending<int>()));
          co_return static_cast<int>(std::get<0>(all).size()) + std::get<1>(all);
        } catch (int e) {
          co_return e;
        }
      },
      [&](int i, auto& run) {
        if (i % 2 == 0) {
          ASSERT_EQ(run.how(), ending::value);
          EXPECT_EQ(run.value(), i % 3 == 0 ? 42 : 6);
        }
      });
}

}  // namespace
