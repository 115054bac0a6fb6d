// Places that are kept.
#include <astd/channel.hpp>
#include <astd/channel/test_message.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace astd;

static_assert(std::is_nothrow_move_constructible_v<permit<int>> && !std::is_copy_constructible_v<permit<int>>);

ASTD_TEST(channel, a_permit_is_a_place) {
  auto [tx, rx] = channel<int>(2);
  auto one = co_await tx.reserve();
  EXPECT_EQ(one.size(), 1u);
  EXPECT_EQ(tx.size(), 0u) << "a place is no message";
  EXPECT_TRUE(tx.try_send(1));
  EXPECT_TRUE(tx.is_full());
  EXPECT_EQ(tx.try_send(2).error(), channel_errc::full);
  EXPECT_EQ(tx.try_reserve().error(), channel_errc::full);
  EXPECT_TRUE(one.send(3));
  EXPECT_FALSE(one);
  EXPECT_EQ(rx.try_recv(), 1);
  EXPECT_EQ(rx.try_recv(), 3);
  EXPECT_EQ(rx.size(), 0u);
  auto two = co_await tx.reserve_many(2);
  EXPECT_TRUE(tx.is_full());
  EXPECT_TRUE(two.send(4));
  two = permit<int>();
  EXPECT_TRUE(tx.try_reserve(1));
  EXPECT_EQ(tx.try_reserve(2).error(), channel_errc::full);
  EXPECT_EQ(rx.try_recv(), 4);
  EXPECT_TRUE(tx.try_reserve(2));
}

ASTD_TEST(channel, a_dropped_permit_wakes_who_waits_for_its_place) {
  auto [tx, rx] = channel<int>(1);
  auto kept = std::optional(co_await tx.reserve());
  auto waiting = spawn([](sender<int> to) -> task<> { co_await to.send(5); }, tx);
  auto third = spawn(
      [](sender<int> to) -> task<> {
        auto p = co_await to.reserve();
        EXPECT_TRUE(p.send(6));
      },
      tx);
  for (int i = 0; i < 3; ++i) co_await this_task::yield();
  EXPECT_TRUE(rx.is_empty());
  kept.reset();
  auto first = co_await rx.recv();
  auto second = co_await rx.recv();
  EXPECT_EQ(*first + *second, 11);
  co_await waiting;
  co_await third;
}

// Who waits for a place needs none when somebody waits for a message; and nobody overtakes.
ASTD_TEST(channel, a_waiting_sender_and_a_waiting_receiver_meet_beside_a_permit) {
  auto [tx, rx] = channel<int>(1);
  auto kept = co_await tx.reserve();
  auto waiting = spawn([](sender<int> to) -> task<> { co_await to.send(1); }, tx);
  for (int i = 0; i < 20; ++i) co_await this_task::yield();
  auto first = co_await rx.recv();
  EXPECT_EQ(first, 1);
  co_await waiting;
  EXPECT_EQ(tx.try_send(2).error(), channel_errc::full);
  EXPECT_TRUE(kept.send(3));
  auto second = co_await rx.recv();
  EXPECT_EQ(second, 3);
}

// tokio #8260: the receiver of a closed channel waits for who holds a permit, and no longer.
ASTD_TEST(channel, a_permit_outlives_the_end) {
  for (const bool sends : {true, false}) {
    auto ends = channel<int>(2);
    auto tx = std::optional(std::move(ends.first));
    auto kept = std::optional(co_await tx->reserve());
    auto receiving = spawn(
        [](receiver<int> rx) -> task<int> {
          int sum = 0;
          for (;;) {
            auto m = co_await rx.recv();
            if (!m) co_return sum;
            sum += *m;
          }
        },
        std::move(ends.second));
    for (int i = 0; i < 3; ++i) co_await this_task::yield();
    tx.reset();
    co_await this_task::yield();
    if (sends) EXPECT_TRUE(kept->send(3));
    kept.reset();
    const auto sum = co_await receiving;
    EXPECT_EQ(sum, sends ? 3 : 0);
  }
  auto ends = channel<int>(2);
  auto kept = co_await ends.first.reserve();
  {
    const auto gone = std::move(ends.second);
  }
  EXPECT_EQ(kept.send(1).error(), channel_errc::closed);
  EXPECT_EQ(kept.size(), 1u);
}

// tokio #8062: whatever permits come and go, the size is that of the queue, and the places add up.
TEST(channel, places_add_up) {
  auto [tx, rx] = channel<int>(5);
  std::vector<permit<int>> held;
  unsigned random = 1;
  std::size_t queued = 0;
  for (int i = 0; i < 20'000; ++i) {
    random = random * 1664525u + 1013904223u;
    std::size_t kept = 0;
    for (auto& p : held) kept += p.size();
    ASSERT_EQ(tx.size(), queued);
    ASSERT_EQ(tx.is_full(), queued + kept == 5);
    switch ((random >> 16) % 5) {
      case 0:
        if (auto p = tx.try_reserve(1 + (random >> 20) % 2)) held.push_back(std::move(*p));
        break;
      case 1:
        if (!held.empty()) held.erase(held.begin());
        break;
      case 2:
        if (!held.empty() && held.back()) {
          ASSERT_TRUE(held.back().send(1));
          ++queued;
        }
        break;
      case 3: queued += tx.try_send(1).has_value(); break;
      default: queued -= rx.try_recv().has_value();
    }
  }
}

}  // namespace
