// Streams that are cancelled or destroyed wherever they stand, and streams that never wait.
#include <astd/channel/channel.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/ready.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/stream/collect.hpp>
#include <astd/stream/compare.hpp>
#include <astd/stream/concurrent.hpp>
#include <astd/stream/filter.hpp>
#include <astd/stream/flatten.hpp>
#include <astd/stream/group.hpp>
#include <astd/stream/sources.hpp>
#include <astd/stream/test_streams.hpp>
#include <astd/stream/timing.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using test::counting;
using test::ints;

// Ends behind n turns.
task<> turns(int n) {
  for (int i = 0; i < n; ++i) co_await this_task::yield();
}

// Whatever is alive in a stream.
struct alive {
  explicit alive(std::atomic<int>& n) : n_(&n) { ++n; }
  alive(const alive& other) : n_(other.n_) { ++*n_; }
  alive(alive&& other) noexcept : n_(other.n_) { ++*n_; }
  alive& operator=(const alive&) = delete;
  ~alive() { --*n_; }
  std::atomic<int>* n_;
};
generator<alive> inner(std::atomic<int>& n) {
  alive here(n);
  for (int i = 0; i < 2; ++i) {
    co_await this_task::yield();
    co_yield alive(n);
  }
}
generator<alive> outer(std::atomic<int>& n) {
  alive here(n);
  co_yield elements_of(inner(n));
  co_await this_task::yield();
  co_yield here;
}
task<> all_at_once(std::atomic<int>& n) {
  auto keep = [](alive x) -> task<alive> {
    co_await this_task::yield();
    co_return x;
  };
  auto yes = [](const alive&) -> task<bool> {
    co_await this_task::yield();
    co_return true;
  };
  auto flat = [&n](alive) { return outer(n); };
  auto s = outer(n) | stream::transform(keep) | stream::filter(yes) | stream::flat_map(flat) |
           stream::zip(outer(n) | stream::concat(outer(n))) | stream::peekable();
  auto peeked = co_await s.peek();
  static_cast<void>(peeked);
  auto count = co_await (std::move(s) | stream::chunk(2) | stream::count());
  EXPECT_EQ(count, 3u);
}
task<> several_at_once(std::atomic<int>& n) {
  auto keep = [](alive x) -> task<alive> {
    co_await this_task::yield();
    co_return x;
  };
  auto count = co_await (stream::merge(outer(n), outer(n)) | stream::transform(keep) | stream::buffered(2) |
                         stream::timeout(1h) | stream::count());
  EXPECT_EQ(count, 6u);
}

// Cancelled behind each turn of its way, until it gets to its end.
template <class Make>
task<> cancel_everywhere(Make make) {
  for (int n = 0;; ++n) {
    std::atomic<int> alive = 0;
    bool ended = false;
    auto body = [&]() -> task<> {
      co_await make(alive);
      ended = true;
    };
    co_await race(body(), turns(n));
    EXPECT_EQ(alive, 0) << n;
    if (ended || n > 1000) break;
  }
}
ASTD_TEST(stream_cancel, at_every_suspension) { co_await cancel_everywhere(all_at_once); }
ASTD_TEST(stream_cancel, at_every_suspension_of_several) { co_await cancel_everywhere(several_at_once); }

ASTD_TEST(stream_cancel, destroyed_behind_any_number_of_elements) {
  for (int n = 0; n < 8; ++n) {
    std::atomic<int> alive = 0;
    {
      auto s = outer(alive) | stream::flat_map([&](auto) { return outer(alive); }) | stream::chunk(2);
      for (int i = 0; i < n; ++i) {
        auto x = co_await s.next();
        static_cast<void>(x);
      }
    }
    EXPECT_EQ(alive, 0) << n;
  }
}

// A next() that is cancelled while it waits takes nothing.
ASTD_TEST(stream_cancel, next_loses_no_message) {
  auto [tx, rx] = channel<int>(4);
  auto s = rx | stream::transform([](int x) { return 2 * x; }) | stream::filter([](int) { return true; });
  for (int i = 0; i < 3; ++i) co_await race(s.next(), turns(2));
  co_await tx.send(1);
  auto x = co_await s.next();
  EXPECT_EQ(x, 2);
}

// One rule for all: who is always ready lets others run.
task<std::size_t> after_three_turns() {
  co_await turns(3);
  co_return 3;
}
template <class S>
task<bool> ends_when_told(S endless) {
  // Only if it lets the other branch run is it told to stop.
  auto told = co_await race(std::move(endless) | stream::count(), after_three_turns());
  co_return told == 3;
}
generator<int> endless() {
  for (;;) co_yield 1;
}
struct always {
  auto next() { return ready(std::optional<int>(1)); }
};

ASTD_TEST(stream_fairness, an_endless_stream_lets_others_run) {
  const ints one{1};
  auto never = [](int) { return false; };
  bool told = co_await ends_when_told(stream::repeat(1));
  EXPECT_TRUE(told);
  told = co_await ends_when_told(stream::repeat(1) | stream::filter(never));
  EXPECT_TRUE(told);
  told = co_await ends_when_told(one | stream::cycle());
  EXPECT_TRUE(told);
  told = co_await ends_when_told(endless() | stream::filter(never) | stream::chunk(2));
  EXPECT_TRUE(told);
  told = co_await ends_when_told(stream::from(always()) | stream::filter(never));
  EXPECT_TRUE(told);
  told = co_await ends_when_told(stream::merge(stream::repeat(1), stream::repeat(2)));
  EXPECT_TRUE(told);
  told = co_await ends_when_told(stream::repeat(one) | stream::flatten() |
                                 stream::drop_while([](int) { return true; }));
  EXPECT_TRUE(told);
  told = co_await ends_when_told(stream::repeat(1) | stream::zip(one | stream::cycle()));
  EXPECT_TRUE(told);
  auto later = [](int) -> task<bool> { co_return false; };
  told = co_await ends_when_told(stream::repeat(1) | stream::filter(later));
  EXPECT_TRUE(told);
}

ASTD_TEST(stream_fairness, so_does_asking_by_hand) {
  std::atomic<bool> stop = false;
  auto other = spawn([&stop]() -> task<> {
    stop = true;
    co_return;
  });
  auto s = stream::repeat(1) | stream::transform([](int x) { return x; });
  while (!stop) {
    auto x = co_await s.next();
    EXPECT_EQ(x, 1);
  }
  co_await std::move(other);
}

}  // namespace
