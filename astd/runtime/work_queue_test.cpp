#include <astd/base/config.hpp>
#include <astd/runtime/work_queue.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

namespace astd::detail {
namespace {

struct item {
  item* next_ = nullptr;
  std::size_t payload = 0;  // plain: TSan sees whether it is handed over
  std::atomic<int> taken = 0;
};

std::vector<item> make_items(std::size_t count) {
  std::vector<item> items(count);
  for (std::size_t i = 0; i < count; ++i) items[i].payload = i;
  return items;
}

template <class Queue>
class both_queues : public ::testing::Test {};
using kinds = ::testing::Types<work_queue<item, 8>, fifo_queue<item, 8>>;
TYPED_TEST_SUITE(both_queues, kinds);

TYPED_TEST(both_queues, is_empty_at_first) {
  TypeParam queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.steal(), nullptr);
  EXPECT_EQ(queue.take_oldest_half().first, nullptr);
}

TYPED_TEST(both_queues, steals_the_oldest) {
  auto items = make_items(3);
  TypeParam queue;
  for (item& i : items) EXPECT_TRUE(queue.push(&i));
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_FALSE(queue.empty());
  for (item& i : items) EXPECT_EQ(queue.steal(), &i);
  EXPECT_EQ(queue.steal(), nullptr);
  EXPECT_TRUE(queue.empty());
}

TYPED_TEST(both_queues, refuses_when_full_and_takes_again_after_a_steal) {
  auto items = make_items(10);
  TypeParam queue;
  for (std::size_t i = 0; i < 8; ++i) EXPECT_TRUE(queue.push(&items[i]));
  EXPECT_FALSE(queue.push(&items[8]));
  EXPECT_EQ(queue.size(), 8u);
  EXPECT_EQ(queue.steal(), &items[0]);
  EXPECT_TRUE(queue.push(&items[8]));
  EXPECT_FALSE(queue.push(&items[9]));
  for (std::size_t i = 1; i < 9; ++i) EXPECT_EQ(queue.steal(), &items[i]);
  EXPECT_EQ(queue.steal(), nullptr);
}

TYPED_TEST(both_queues, goes_round_the_ring) {
  auto items = make_items(8);
  TypeParam queue;
  for (std::size_t round = 0; round < 1000; ++round) {
    const std::size_t count = round % 8 + 1;
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(queue.push(&items[i]));
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(queue.steal(), &items[i]);
    ASSERT_TRUE(queue.empty());
  }
}

TYPED_TEST(both_queues, gives_out_the_older_half_as_a_chain) {
  auto items = make_items(8);
  for (std::size_t count = 1; count <= 8; ++count) {
    TypeParam queue;
    for (std::size_t i = 0; i < count; ++i) {
      items[i].next_ = &items[7];  // to be overwritten
      ASSERT_TRUE(queue.push(&items[i]));
    }
    const work_chain<item> chain = queue.take_oldest_half();
    EXPECT_EQ(chain.count, (count + 1) / 2);
    item* last = nullptr;
    std::size_t i = 0;
    for (item* each = chain.first; each; last = each, each = each->next_) EXPECT_EQ(each, &items[i++]);
    EXPECT_EQ(i, chain.count);
    EXPECT_EQ(chain.last, last);
    EXPECT_EQ(queue.size(), count / 2);
    for (; i < count; ++i) EXPECT_EQ(queue.steal(), &items[i]);
    EXPECT_TRUE(queue.empty());
  }
}

TEST(work_queue, pops_the_newest) {
  auto items = make_items(4);
  work_queue<item, 8> queue;
  EXPECT_EQ(queue.pop(), nullptr);
  for (std::size_t i = 0; i < 3; ++i) queue.push(&items[i]);
  EXPECT_EQ(queue.pop(), &items[2]);
  queue.push(&items[3]);
  EXPECT_EQ(queue.steal(), &items[0]);
  EXPECT_EQ(queue.pop(), &items[3]);
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue.pop(), &items[1]);
  EXPECT_EQ(queue.pop(), nullptr);
  EXPECT_EQ(queue.steal(), nullptr);
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.push(&items[0]));
  EXPECT_EQ(queue.pop(), &items[0]);
}

TEST(fifo_queue, moves_half_into_another_queue) {
  auto items = make_items(8);
  for (std::size_t count = 0; count <= 8; ++count) {
    fifo_queue<item, 8> victim, thief;
    for (std::size_t i = 0; i < count; ++i) victim.push(&items[i]);
    EXPECT_EQ(thief.steal_half(victim), (count + 1) / 2);
    EXPECT_EQ(victim.size(), count / 2);
    EXPECT_EQ(thief.size(), (count + 1) / 2);
    for (std::size_t i = 0; i < (count + 1) / 2; ++i) EXPECT_EQ(thief.steal(), &items[i]);
    for (std::size_t i = (count + 1) / 2; i < count; ++i) EXPECT_EQ(victim.steal(), &items[i]);
  }
}

TEST(fifo_queue, moves_no_more_than_there_is_room_for) {
  auto items = make_items(15);
  fifo_queue<item, 8> victim, thief;
  for (std::size_t i = 0; i < 8; ++i) victim.push(&items[i]);
  for (std::size_t i = 8; i < 15; ++i) thief.push(&items[i]);
  EXPECT_EQ(thief.steal_half(victim), 1u);
  EXPECT_EQ(thief.steal_half(victim), 0u);
  for (std::size_t i = 8; i < 15; ++i) EXPECT_EQ(thief.steal(), &items[i]);
  EXPECT_EQ(thief.steal(), &items[0]);
  EXPECT_EQ(victim.steal(), &items[1]);
}

// Every item is taken once, whole, by somebody.
class census {
 public:
  explicit census(std::size_t count) : items_(make_items(count)), expected_(count) {
    for (item& i : items_) i.payload = ~std::size_t{0};
  }
  item& make(std::size_t index) {
    items_[index].payload = index;
    return items_[index];
  }
  void take(item* i) {
    if (&items_[i->payload] != i || i->taken.fetch_add(1, std::memory_order_relaxed) != 0) ++wrong_;
    ++taken_;
  }
  void take(work_chain<item> chain) {
    for (item* each = chain.first; each; each = each->next_) take(each);
  }
  [[nodiscard]] bool complete() const { return taken_ >= expected_; }
  void check() const {
    EXPECT_EQ(wrong_, 0);
    EXPECT_EQ(taken_, expected_);
    for (const item& i : items_) ASSERT_EQ(i.taken, 1);
  }

 private:
  std::vector<item> items_;
  std::size_t expected_;
  std::atomic<std::size_t> taken_ = 0;
  std::atomic<int> wrong_ = 0;
};

constexpr std::size_t stress_items = ASTD_SANITIZED ? 100'000 : 2'000'000;

TEST(work_queue, stress_owner_and_three_thieves) {
  census all(stress_items);
  work_queue<item, 16> queue;
  std::vector<std::thread> thieves;
  for (int t = 0; t < 3; ++t) {
    thieves.emplace_back([&] {
      while (!all.complete()) {
        if (item* i = queue.steal())
          all.take(i);
        else
          std::this_thread::yield();
      }
    });
  }
  std::mt19937 random(1);
  for (std::size_t next = 0; next < stress_items;) {
    // Mostly near empty, where owner and thieves meet; now and then full.
    const std::size_t burst = random() % 64 == 0 ? 20 : random() % 4;
    for (std::size_t k = 0; k < burst && next < stress_items; ++k) {
      item& i = all.make(next++);
      while (!queue.push(&i)) all.take(queue.take_oldest_half());
    }
    for (std::size_t k = random() % 4; k != 0; --k)
      if (item* i = queue.pop()) all.take(i);
  }
  while (item* i = queue.pop()) all.take(i);
  for (std::thread& t : thieves) t.join();
  all.check();
}

TEST(fifo_queue, stress_owner_and_three_thieves_that_take_halves) {
  census all(stress_items);
  fifo_queue<item, 16> queue;
  fifo_queue<item, 16> theirs[3];
  std::vector<std::thread> thieves;
  for (unsigned t = 0; t < 3; ++t) {
    thieves.emplace_back([&, t] {
      std::mt19937 random(t + 10);
      while (!all.complete()) {
        // From the owner mostly, from each other too.
        fifo_queue<item, 16>& victim = random() % 4 == 0 ? theirs[(t + 1) % 3] : queue;
        if (theirs[t].steal_half(victim) == 0) std::this_thread::yield();
        while (random() % 8 != 0) {
          item* i = theirs[t].steal();
          if (!i) break;
          all.take(i);
        }
        if (random() % 16 == 0) all.take(theirs[t].take_oldest_half());
      }
    });
  }
  std::mt19937 random(1);
  for (std::size_t next = 0; next < stress_items;) {
    for (std::size_t k = random() % 20; k != 0 && next < stress_items; --k) {
      item& i = all.make(next++);
      while (!queue.push(&i)) all.take(queue.take_oldest_half());
    }
    for (std::size_t k = random() % 8; k != 0; --k)
      if (item* i = queue.steal()) all.take(i);
  }
  while (item* i = queue.steal()) all.take(i);
  for (std::thread& t : thieves) t.join();
  all.check();
}

// The protocol that announce() and empty() are made for: the pusher looks at the sleeper's state, the sleeper at the
// queue.
TEST(work_queue, nobody_sleeps_while_there_is_work) {
  constexpr int rounds = ASTD_SANITIZED ? 3'000 : 30'000;
  auto items = make_items(1);
  work_queue<item, 8> queue;
  std::atomic<bool> idle = false;
  std::atomic<int> round_started = 0, missed = 0, sleeper_done = 0;
  std::atomic<bool> sleeps = false;
  std::thread sleeper([&] {
    for (int round = 1; round <= rounds; ++round) {
      while (round_started.load() < round) std::this_thread::yield();
      idle.exchange(true);
      sleeps = queue.empty();
      sleeper_done = round;
    }
  });
  for (int round = 1; round <= rounds; ++round) {
    idle = false;
    round_started = round;
    queue.push(&items[0]);
    queue.announce();
    const bool wakes = idle.load();
    while (sleeper_done.load() < round) std::this_thread::yield();
    if (sleeps && !wakes) ++missed;
    EXPECT_EQ(queue.pop(), &items[0]);
  }
  sleeper.join();
  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace astd::detail
