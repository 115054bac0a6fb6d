#include <astd/base/config.hpp>
#include <astd/base/spin_lock.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <type_traits>
#include <vector>

namespace {

using astd::detail::spin_guard;
using astd::detail::spin_lock;

static_assert(sizeof(spin_lock) == 1);
static_assert(!std::is_copy_constructible_v<spin_guard>);

TEST(spin_lock, locks_and_unlocks) {
  spin_lock lock;
  lock.lock();
  EXPECT_FALSE(lock.try_lock());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock());
  lock.unlock();
  {
    spin_guard guard(lock);
    EXPECT_FALSE(lock.try_lock());
  }
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

// Plain variables: ThreadSanitizer watches whether the lock orders what is done under it.
TEST(spin_lock, lets_one_in_at_a_time) {
  constexpr int threads = 4, rounds = ASTD_SANITIZED ? 10'000 : 100'000;
  spin_lock lock;
  long count = 0;
  bool inside = false;
  int intruders = 0;
  std::vector<std::thread> all;
  for (int t = 0; t != threads; ++t)
    all.emplace_back([&, t] {
      for (int i = 0; i != rounds; ++i) {
        if ((i + t) % 3 == 0) {
          while (!lock.try_lock()) std::this_thread::yield();
        } else {
          lock.lock();
        }
        intruders += inside;
        inside = true;
        ++count;
        inside = false;
        lock.unlock();
      }
    });
  for (std::thread& t : all) t.join();
  EXPECT_EQ(count, long{threads} * rounds);
  EXPECT_EQ(intruders, 0);
}

}  // namespace
