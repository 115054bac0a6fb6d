// Many messages at once: how long the others wait meanwhile.
#include <astd/channel/channel.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace {

using namespace astd;

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

// A receiver that takes all lets a sender that waits go on long before it has all.
ASTD_TEST(channel, recv_many_passes_places_on_in_between) {
  auto ends = channel<noted>(200);
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(ends.first.try_send(noted(i)));
  auto waits = spawn([](sender<noted> tx) -> task<> { co_await tx.send(noted(1000)); }, ends.first);
  while (!ends.second.is_full()) co_await this_task::yield();
  // It is in line as soon as a second one is not let in at once.
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
        std::vector<int> many(100'000);
        for (int i = 0; i < 100'000; ++i) many[static_cast<std::size_t>(i)] = i;
        std::span<int> left(many);
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
  std::vector<int> many(10'000'000, 7);
  std::span<int> left(many);
  auto sending = rt.spawn([](sender<int> tx, std::span<int>& all) -> task<> { co_await tx.send_many(all); },
                          std::move(ends.first), std::ref(left));
  rt.block_on([](join_handle<>& h) -> task<> {
    co_await this_task::yield();
    const auto ended = co_await h.cancel();
    static_cast<void>(ended);
  }(sending));
  std::size_t received = 0;
  while (ends.second.try_recv()) ++received;
  EXPECT_EQ(received + left.size(), many.size());
}

}  // namespace
