// readable(): waiting for a message without taking it.
#include <astd/channel/channel.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/coro/join.hpp>
#include <astd/coro/race.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <atomic>
#include <chrono>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;

ASTD_TEST(channel_readable, takes_nothing) {
  auto [tx, rx] = channel<int>(2);
  auto waits = spawn(
      [](receiver<int> from) -> task<std::size_t> {
        co_await from.readable();
        co_return from.size();
      },
      rx);
  co_await this_task::yield();
  co_await tx.send(1);
  auto seen = co_await std::move(waits);
  EXPECT_EQ(seen, 1u);
  co_await rx.readable();  // at once
  EXPECT_EQ(rx.try_recv(), 1);
  auto late = co_await as_result(timeout(0ms, rx.readable()));
  EXPECT_EQ(late.error(), std::errc::timed_out);
}

// All who look are told; who waits for the message itself comes before them.
ASTD_TEST(channel_readable, tells_all) {
  auto [tx, rx] = channel<int>(2);
  std::atomic<int> told = 0;
  auto look = [&]() -> task<> {
    co_await rx.readable();
    ++told;
  };
  auto take = [&]() -> task<> {
    auto m = co_await rx.recv();
    EXPECT_EQ(m, 1);
  };
  auto send = [&]() -> task<> {
    co_await tx.send(1);
    EXPECT_EQ(told, 0);
    co_await tx.send(2);
  };
  // Branches begin in order: all wait when the last one begins.
  co_await join(look(), look(), take(), send());
  EXPECT_EQ(told, 2);
  EXPECT_EQ(rx.size(), 1u);
}

ASTD_TEST(channel_readable, ends_with_the_channel) {
  auto [tx, rx] = channel<int>(2);
  auto kept = tx.try_reserve();
  auto look = [](receiver<int> from) -> task<bool> {
    co_await from.readable();
    co_return from.try_recv().has_value();
  };
  auto waits = spawn(look, rx);
  co_await this_task::yield();
  tx.close();
  auto late = co_await as_result(timeout(0ms, rx.readable()));
  EXPECT_EQ(late.error(), std::errc::timed_out);  // a permit is left
  EXPECT_TRUE(kept->send(1).has_value());
  auto got = co_await std::move(waits);
  EXPECT_TRUE(got);
  co_await rx.readable();
  auto closed = rx.try_recv();
  EXPECT_EQ(closed.error(), channel_errc::closed);

  auto [tx2, rx2] = channel<int>(2);
  auto other = spawn(look, rx2);
  auto last = std::move(tx2).downgrade();
  {
    auto gone = std::move(tx2);
  }
  got = co_await std::move(other);
  EXPECT_FALSE(got);
}

// Senders that wait for a place, senders with permits, lookers that come and go: each message is taken once.
ASTD_TEST(channel_readable, loses_no_message_in_a_storm) {
  constexpr int each = 400;
  auto [tx, rx] = channel<int>(2);
  auto sends = [](sender<int> to, int n) -> task<> {
    for (int i = 1; i <= n; ++i) {
      if (i % 3 == 0) {
        auto place = co_await to.reserve();
        EXPECT_TRUE(place.send(i).has_value());
      } else {
        co_await to.send(i);
      }
    }
  };
  auto looks = [](receiver<int> from) -> task<int> {
    int sum = 0;
    for (int n = 0;; ++n) {
      if (n % 2 == 0) {
        co_await race(from.readable(), this_task::yield());  // gives up, mostly
      } else {
        co_await from.readable();
      }
      auto m = from.try_recv();
      if (m) sum += *m;
      if (!m && m.error() == channel_errc::closed) break;
    }
    co_return sum;
  };
  auto takes = [](receiver<int> from) -> task<int> {
    int sum = 0;
    for (;;) {
      auto m = co_await from.recv();
      if (!m) break;
      sum += *m;
    }
    co_return sum;
  };
  std::vector<join_handle<void>> senders;
  std::vector<join_handle<int>> receivers;
  for (int i = 0; i < 3; ++i) receivers.push_back(spawn(looks, rx));
  receivers.push_back(spawn(takes, rx));
  for (int i = 0; i < 4; ++i) senders.push_back(spawn(sends, tx, each));
  for (auto& s : senders) co_await std::move(s);
  tx.close();
  int sum = 0;
  for (auto& r : receivers) {
    auto part = co_await std::move(r);
    sum += part;
  }
  EXPECT_EQ(sum, 4 * each * (each + 1) / 2);
}

}  // namespace
