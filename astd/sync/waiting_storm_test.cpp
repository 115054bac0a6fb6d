// Everything that waits, at once: tasks on several workers that are cancelled at any moment, and plain threads. Nobody is
// inside where another is, nothing is lost, and nobody hangs.
#include <astd/base/test_seed.hpp>
#include <astd/call_once.hpp>
#include <astd/condition_variable.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/select.hpp>
#include <astd/event.hpp>
#include <astd/mutex.hpp>
#include <astd/semaphore.hpp>
#include <astd/shared_mutex.hpp>
#include <astd/sync/test_support.hpp>
#include <astd/time/timeout.hpp>
#include <astd/timed_mutex.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <random>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counted;
using test::seed;

constexpr auto how_long = 400ms;
constexpr int permits = 3;
constexpr std::size_t flags = 512;

using randomness = std::mt19937;

struct world {
  astd::timed_mutex m;
  int in_m = 0;
  astd::shared_mutex s;
  int written = 0;
  std::atomic<int> reading = 0;
  counting_semaphore<permits> sem{permits};
  std::atomic<int> in_sem = 0;
  astd::condition_variable cv;
  int tokens = 0;
  event e;
  std::array<astd::once_flag, flags> once;
  std::array<int, flags> done{};
  std::atomic<std::size_t> next_flag = 0;
  std::atomic<long> turns = 0;
};

struct inside {
  explicit inside(int& of) : count(of) { EXPECT_EQ(count++, 0); }
  ~inside() { EXPECT_EQ(--count, 0); }
  int& count;
};
struct writing {
  explicit writing(world& of) : w(of) {
    EXPECT_EQ(w.reading, 0);
    EXPECT_EQ(w.written++ % 2, 0);
  }
  ~writing() { EXPECT_EQ(w.written++ % 2, 1); }
  world& w;
};
struct reading {
  explicit reading(world& of) : w(of), before(w.written) {
    EXPECT_EQ(before % 2, 0);
    ++w.reading;
  }
  ~reading() {
    --w.reading;
    EXPECT_EQ(w.written, before);
  }
  world& w;
  int before;
};
struct sharing {
  sharing(world& of, int count) : w(of), n(count) { EXPECT_LE(w.in_sem += n, permits); }
  ~sharing() { w.in_sem -= n; }
  world& w;
  int n;
};

task<> stays(randomness& random) {
  switch (random() % 4) {
    case 0: co_await this_task::yield(); break;
    case 1: co_await this_task::sleep_for(std::chrono::microseconds(random() % 50)); break;
    default: break;
  }
}

task<> one_turn(world& w, randomness& random) {
  const auto soon = std::chrono::microseconds(random() % 200);
  switch (random() % 12) {
    case 0: {
      auto guard = co_await w.m.lock();
      const inside here(w.in_m);
      co_await stays(random);
      break;
    }
    case 1: {
      auto guard = co_await w.m.try_lock_for(soon);
      if (!guard) break;
      const inside here(w.in_m);
      co_await stays(random);
      break;
    }
    case 2: {
      auto guard = co_await w.s.lock();
      std::optional<writing> here(w);
      co_await stays(random);
      here.reset();
      auto looking = guard.downgrade();
      const reading there(w);
      co_await stays(random);
      break;
    }
    case 3: {
      auto guard = co_await w.s.lock_shared();
      const reading here(w);
      co_await stays(random);
      break;
    }
    case 4: {
      auto looking = co_await w.s.lock_upgrade();
      std::optional<reading> here(w);
      co_await stays(random);
      here.reset();
      auto guard = co_await looking.upgrade();
      const writing there(w);
      co_await stays(random);
      break;
    }
    case 5: {
      const auto n = static_cast<std::ptrdiff_t>(1 + random() % permits);
      auto permit = co_await w.sem.acquire_permit(n);
      const sharing here(w, static_cast<int>(n));
      co_await stays(random);
      break;
    }
    case 6: {
      auto permit = co_await as_result(timeout(soon, w.sem.acquire_permit(2)));
      if (!permit) break;
      const sharing here(w, 2);
      co_await stays(random);
      break;
    }
    case 7: {
      auto both = co_await select(w.m.lock(), w.sem.acquire_permit(1));
      std::optional<inside> here;
      if (std::get<0>(both)) here.emplace(w.in_m);
      std::optional<sharing> there;
      if (std::get<1>(both)) there.emplace(w, 1);
      co_await stays(random);
      break;
    }
    case 8: {
      auto guard = co_await w.m.lock();
      auto ready = [&w] { return w.tokens > 0; };
      const bool came = co_await w.cv.wait_for(guard, soon, ready);
      if (came) --w.tokens;
      const inside here(w.in_m);
      co_await stays(random);
      break;
    }
    case 9: {
      auto guard = co_await w.m.lock();
      ++w.tokens;
      if (random() % 4 == 0)
        w.cv.notify_all();
      else
        w.cv.notify_one();
      const inside here(w.in_m);
      break;
    }
    case 10: {
      const auto told = co_await as_result(timeout(soon, w.e.wait()));
      if (!told) {
        if (random() % 2 == 0)
          w.e.notify_one();
        else
          w.e.notify_all();
      }
      break;
    }
    default: {
      const std::size_t i = w.next_flag++ / 8 % flags;
      auto once = [&w, &random, i]() -> task<> {
        co_await stays(random);
        ++w.done[i];
      };
      co_await call_once(w.once[i], once);
      EXPECT_EQ(w.done[i], 1);
    }
  }
}

task<> turns(world& w, unsigned with) {
  const counted local;
  randomness random(with);
  for (;;) {
    co_await one_turn(w, random);
    w.turns.fetch_add(1, std::memory_order_relaxed);
    co_await this_task::yield();
  }
}

void one_turn_of_a_thread(world& w, randomness& random) {
  const auto soon = std::chrono::microseconds(random() % 200);
  switch (random() % 8) {
    case 0: {
      auto guard = w.m.lock_blocking();
      const inside here(w.in_m);
      break;
    }
    case 1: {
      if (auto guard = w.m.try_lock_for_blocking(soon)) const inside here(w.in_m);
      break;
    }
    case 2: {
      auto guard = w.s.lock_blocking();
      const writing here(w);
      break;
    }
    case 3: {
      auto guard = w.s.lock_shared_blocking();
      const reading here(w);
      break;
    }
    case 4: {
      auto looking = w.s.lock_upgrade_blocking();
      auto guard = looking.upgrade_blocking();
      const writing here(w);
      break;
    }
    case 5: {
      auto permit = w.sem.acquire_permit_blocking(2);
      const sharing here(w, 2);
      break;
    }
    case 6: {
      auto guard = w.m.lock_blocking();
      if (w.cv.wait_for_blocking(guard, soon, [&w] { return w.tokens > 0; })) --w.tokens;
      break;
    }
    default: {
      auto guard = w.m.lock_blocking();
      ++w.tokens;
      w.cv.notify_one();
    }
  }
  w.turns.fetch_add(1, std::memory_order_relaxed);
}

class waiting_storm : public testing::TestWithParam<unsigned> {
 protected:
  waiting_storm() { seed(); }
};

TEST_P(waiting_storm, of_tasks_that_are_cancelled_and_threads) {
  world w;
  {
    runtime rt({.workers = GetParam(), .name = "storm"});
    std::vector<std::thread> threads;
    std::atomic<bool> over = false;
    for (unsigned t = 0; t < 2; ++t)
      threads.emplace_back([&, t] {
        randomness random(seed() + 100 + t);
        while (!over) one_turn_of_a_thread(w, random);
      });
    randomness random(seed());
    std::vector<join_handle<>> tasks(12);
    for (auto& h : tasks) h = rt.spawn(turns(w, static_cast<unsigned>(random())));
    const auto end = std::chrono::steady_clock::now() + how_long;
    while (std::chrono::steady_clock::now() < end) {
      auto& h = tasks[random() % tasks.size()];
      h.request_cancel();
      if (random() % 2 == 0) std::this_thread::yield();
      const auto ended = block_on(h.cancel());
      EXPECT_FALSE(ended.has_value());
      h = rt.spawn(turns(w, static_cast<unsigned>(random())));
    }
    for (auto& h : tasks) h.request_cancel();
    for (auto& h : tasks) static_cast<void>(block_on(h.cancel()));
    over = true;
    for (std::thread& t : threads) t.join();
  }
  EXPECT_EQ(counted::live(), 0);
  EXPECT_GT(w.turns, 0);
  EXPECT_TRUE(w.m.try_lock().has_value());
  EXPECT_TRUE(w.s.try_lock().has_value());
  EXPECT_EQ(w.sem.available(), permits);
  for (std::size_t i = 0; i < flags; ++i) EXPECT_EQ(w.done[i], w.once[i].is_done() ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(workers, waiting_storm, testing::Values(1u, 3u));

}  // namespace
