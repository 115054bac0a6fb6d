// Many messages at once, and how long the others wait meanwhile.
#include <astd/channel.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;

ASTD_TEST(channel, sends_and_receives_many) {
  auto [tx, rx] = channel<int>(3);
  auto sending = spawn(
      [](sender<int> to) -> task<> {
        std::vector<int> all(1000);
        std::iota(all.begin(), all.end(), 0);
        std::span<int> left(all);
        co_await to.send_many(left);
        EXPECT_TRUE(left.empty());
      },
      std::move(tx));
  std::vector<int> got;
  for (;;) {
    const auto before = got.size();
    auto n = co_await rx.recv_many(got, 100);
    EXPECT_EQ(got.size(), before + n);
    if (n == 0) break;
    EXPECT_LE(n, 100u);
  }
  co_await sending;
  EXPECT_EQ(got.size(), 1000u);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], static_cast<int>(i));
}

ASTD_TEST(channel, what_send_many_could_not_send_is_left) {
  auto [tx, rx] = channel<std::unique_ptr<int>>(3);
  std::vector<std::unique_ptr<int>> all;
  for (int i = 0; i < 8; ++i) all.push_back(std::make_unique<int>(i));
  std::span<std::unique_ptr<int>> left(all);
  auto late = co_await as_result(timeout(1ms, tx.send_many(left)));
  EXPECT_EQ(late.error(), std::errc::timed_out);
  EXPECT_EQ(left.size(), 5u);
  EXPECT_EQ(*left.front(), 3);
  EXPECT_EQ(**rx.try_recv(), 0);
  rx.close();
  auto refused = co_await as_result(tx.send_many(left));
  EXPECT_EQ(refused.error(), channel_errc::closed);
  EXPECT_EQ(left.size(), 5u);
  std::span<std::unique_ptr<int>> none;
  co_await tx.send_many(none);
  std::vector<std::unique_ptr<int>> got;
  auto zero = co_await rx.recv_many(got, 0);
  auto two = co_await rx.recv_many(got, 100);
  auto end = co_await rx.recv_many(got, 100);
  EXPECT_EQ(zero, 0u);
  EXPECT_EQ(two, 2u);
  EXPECT_EQ(end, 0u);
}

/// Notes in which order messages are moved to their first place.
struct noted {
  explicit noted(int n) noexcept : number(n) {}
  noted(noted&& other) noexcept : number(std::exchange(other.number, -1)) { moved.push_back(number); }
  noted& operator=(noted&& other) noexcept {
    number = std::exchange(other.number, -1);
    return *this;
  }
  int number;
  static inline std::vector<int> moved;
};

task<> recv_all_while_one_waits() {
  auto ends = channel<noted>(200);
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(ends.first.try_send(noted(i)));
  auto waits = spawn([](sender<noted> tx) -> task<> { co_await tx.send(noted(1000)); }, ends.first);
  // It is in line after its first turn.
  for (int i = 0; i < 100; ++i) co_await this_task::yield();
  std::vector<noted> got;
  got.reserve(300);
  noted::moved.clear();
  const auto n = co_await ends.second.recv_many(got, 300);
  const auto& moved = noted::moved;
  const auto sent = std::find(moved.begin(), moved.end(), 1000), last = std::find(moved.begin(), moved.end(), 199);
  EXPECT_GE(n, 200u);
  EXPECT_LT(sent - moved.begin(), last - moved.begin());
  for (int i = 0; i < 200; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)].number, i);
  co_await waits;
}

// A receiver that takes all lets a sender that waits go on long before it has all. One worker: there is one `moved`.
TEST(channel, recv_many_passes_places_on_in_between) {
  runtime rt({.workers = 1, .name = "one"});
  rt.block_on(rt.spawn(recv_all_while_one_waits));
}

// A sender that has a hundred thousand and need not wait for places lets others have their turns.
TEST(channel, send_many_lets_others_run) {
  runtime rt({.workers = 1, .name = "one"});
  auto ends = unbounded_channel<int>();
  std::atomic<int> turns{0};
  std::atomic<bool> over{false};
  auto other = rt.spawn(
      [](std::atomic<int>& count, std::atomic<bool>& stop) -> task<> {
        while (!stop) {
          ++count;
          co_await this_task::yield();
        }
      },
      std::ref(turns), std::ref(over));
  auto sending = rt.spawn(
      [](sender<int> tx, std::atomic<int>& count, std::atomic<bool>& stop) -> task<int> {
        std::vector<int> messages(100'000);
        for (int i = 0; i < 100'000; ++i) messages[static_cast<std::size_t>(i)] = i;
        std::span<int> left(messages);
        const int before = count;
        co_await tx.send_many(left);
        const int after = count;
        stop = true;
        EXPECT_TRUE(left.empty());
        co_return after - before;
      },
      std::move(ends.first), std::ref(turns), std::ref(over));
  EXPECT_GE(rt.block_on(sending), 5);
  rt.block_on(other);
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(ends.second.try_recv(), i);
}

// Cancelled in the middle, between two pieces: what was sent was sent, the rest is where it was.
TEST(channel, send_many_is_stopped_between_two_turns) {
  runtime rt({.workers = 1, .name = "one"});
  auto ends = unbounded_channel<int>();
  std::vector<int> messages(10'000'000, 7);
  std::span<int> left(messages);
  auto sending = rt.spawn([](sender<int> tx, std::span<int>& all) -> task<> { co_await tx.send_many(all); },
                          std::move(ends.first), std::ref(left));
  rt.block_on([](join_handle<>& h) -> task<> {
    co_await this_task::yield();
    const auto ended = co_await h.cancel();
    static_cast<void>(ended);
  }(sending));
  std::size_t received = 0;
  while (ends.second.try_recv()) ++received;
  EXPECT_EQ(received + left.size(), messages.size());
}

}  // namespace
