// What costs an allocation: a task's frame, once. Not its spawn, nor an await, a timer, an operation, a cancellation.
#include <astd/base/config.hpp>

#if !ASTD_SANITIZED  // there frames are not pooled, and operator new is the sanitizer's

#include <astd/barrier.hpp>
#include <astd/base/frame_pool.hpp>
#include <astd/call_once.hpp>
#include <astd/channel.hpp>
#include <astd/condition_variable.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/coro/select.hpp>
#include <astd/event.hpp>
#include <astd/latch.hpp>
#include <astd/locked.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/semaphore.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>
#include <astd/timed_mutex.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <new>
#include <vector>

namespace {

// Of the thread that asks for it.
constinit thread_local bool counting = false;
constinit thread_local long allocations = 0;

}  // namespace

// For the whole test program. Not inlined: GCC takes one without the other for a mistake.
ASTD_NOINLINE void* operator new(std::size_t size) {
  if (counting) ++allocations;
  if (void* const p = std::malloc(size ? size : 1)) return p;
  throw std::bad_alloc();
}
ASTD_NOINLINE void operator delete(void* p) noexcept { std::free(p); }
ASTD_NOINLINE void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

using namespace astd;
using namespace std::chrono_literals;

// Does it once, so that pools and queues have what they need; then counts what doing it again takes.
task<long> allocations_of(task<> (*work)()) {
  co_await work();
  allocations = 0;
  counting = true;
  co_await work();
  counting = false;
  co_return allocations;
}

long allocations_of_all_in(task<> (*work)()) {
  runtime rt({.workers = 1, .name = "counted"});
  return rt.block_on(rt.spawn(allocations_of(work)));
}

task<int> one() { co_return 1; }
task<int> later() {
  co_await this_task::yield();
  co_return 1;
}

TEST(allocations, the_counter_counts) {
  EXPECT_EQ(allocations_of_all_in([]() -> task<> {
              void* const block = ::operator new(1);  // called so, no compiler leaves it out
              co_await this_task::yield();
              ::operator delete(block);
            }),
            1);
}

TEST(allocations, none_for_awaits_yields_and_sleeps) {
  EXPECT_EQ(allocations_of_all_in([]() -> task<> {
              for (int i = 0; i < 100; ++i) {
                co_await one();
                co_await later();
                co_await this_task::yield();
                co_await this_task::sleep_for(1us);
              }
            }),
            0);
}

TEST(allocations, none_for_spawning_joining_and_cancelling) {
  EXPECT_EQ(allocations_of_all_in([]() -> task<> {
              std::array<join_handle<int>, 100> handles;
              for (auto& h : handles) h = spawn(later());
              for (auto& h : handles) co_await h;
              for (auto& h : handles) h = spawn(later());
              co_await this_task::yield();
              for (auto& h : handles) {
                const auto none = co_await h.cancel();
                static_cast<void>(none);
              }
            }),
            0);
}

TEST(allocations, none_for_composites_and_timeouts) {
  EXPECT_EQ(allocations_of_all_in([]() -> task<> {
              for (int i = 0; i < 100; ++i) {
                co_await join(one(), later());
                co_await race(this_task::sleep_for(1h), this_task::yield());
                co_await select(later(), this_task::sleep_for(1h));
                co_await timeout(1h, later());
              }
            }),
            0);
}

struct ends_of_channels {
  std::pair<sender<int>, receiver<int>> there = channel<int>(8), back = channel<int>(1);
  std::pair<watch_sender<int>, watch_receiver<int>> watched = watch_channel<int>(0);
  std::pair<broadcast_sender<int>, broadcast_receiver<int>> news = broadcast_channel<int>(2);
};

TEST(allocations, none_for_messages) {
  EXPECT_EQ(allocations_of_all_in([]() -> task<> {
              static ends_of_channels ends;
              const auto answers = []() -> task<> {
                for (int i = 0; i < 100; ++i) {
                  const auto m = co_await ends.there.second.recv();
                  co_await ends.back.first.send(*m);
                }
              };
              auto other = spawn(answers);
              for (int i = 0; i < 100; ++i) {
                co_await ends.there.first.send(i);
                auto m = co_await select(ends.back.second.recv(), pending());
                static_cast<void>(m);
                auto place = co_await ends.there.first.reserve_many(3);
                ends.watched.first.send(i);
                const bool more = co_await ends.watched.second.changed();
                static_cast<void>(more);
                ends.news.first.send(i);
                const auto heard = co_await ends.news.second.recv();
                static_cast<void>(heard);
              }
              co_await other;
            }),
            0);
}

TEST(allocations, none_for_what_waits_for_each_other) {
  EXPECT_EQ(allocations_of_all_in([]() -> task<> {
              shared_locked<int> value(0);
              astd::timed_mutex m;
              counting_semaphore<> s(2);
              astd::condition_variable cv;
              event e;
              astd::barrier meeting(2);
              astd::latch done(2);
              astd::once_flag flag;
              const auto all = [&]() -> task<> {
                for (int i = 0; i < 50; ++i) {
                  {
                    auto guard = co_await m.lock();
                    co_await this_task::yield();
                    cv.notify_all();
                    const auto status = co_await cv.wait_for(guard, 1h);
                    EXPECT_EQ(status, astd::cv_status::no_timeout);
                    cv.notify_one();
                  }
                  {
                    auto looking = co_await value.lock_upgrade();
                    co_await this_task::yield();
                    auto writing = co_await looking.upgrade();
                    ++*writing;
                  }
                  {
                    auto permit = co_await s.acquire_permit(2);
                    co_await this_task::yield();
                  }
                  auto in_time = co_await m.try_lock_for(1h);
                  co_await this_task::yield();
                  in_time.reset();
                  e.notify_one();
                  co_await e.wait();
                  auto once = [] { return this_task::yield(); };
                  co_await call_once(flag, once);
                  co_await meeting.arrive_and_wait();
                  if (i == 0) co_await done.arrive_and_wait();
                }
              };
              co_await join(all(), all());
            }),
            0);
}

TEST(allocations, none_for_bytes_that_come_and_go) {
  EXPECT_EQ(allocations_of_all_in([]() -> task<> {
              counting = false;  // connecting is not counted
              auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
              auto client = co_await net::tcp_stream::connect(listener.local_address());
              auto accepted = co_await listener.accept();
              const auto transfer = [&]() -> task<> {
                std::array<char, 10> buffer{};
                for (int i = 0; i < 100; ++i) {
                  auto both = co_await join(accepted.first.read(buffer), client.write("0123456789"));
                  static_cast<void>(both);
                }
              };
              co_await transfer();
              counting = true;
              co_await transfer();
              counting = false;
            }),
            0);
}

TEST(allocations, one_frame_for_a_spawned_task) {
  runtime rt({.workers = 1, .name = "counted"});
  auto body = []() -> task<> {
    constexpr std::size_t n = 1000;
    std::vector<join_handle<>> handles(n);
    const auto before = detail::frame_pool_usage().in_use;
    auto sleeps = []() -> task<> { co_await this_task::sleep_for(1h); };
    for (auto& h : handles) h = spawn(sleeps);
    const auto each = (detail::frame_pool_usage().in_use - before) / n;
    // One block holds all: who runs, how it ends, who waits, and the timer. See docs/design/performance.md.
    EXPECT_GT(each, 0u);
    EXPECT_LE(each, 512u);
    for (auto& h : handles) h.request_cancel();
    for (auto& h : handles) {
      const auto none = co_await h.cancel();
      static_cast<void>(none);
    }
    EXPECT_EQ(detail::frame_pool_usage().in_use, before);
  };
  rt.block_on(rt.spawn(body));
}

}  // namespace

#endif
