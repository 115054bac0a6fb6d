#include <astd/base/frame_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace astd::detail {
namespace {

// The size a block of `size` bytes really has, written down a second time.
std::size_t class_size(std::size_t size) {
  auto up = [&](std::size_t step) { return (size + step - 1) / step * step; };
  if (size <= 32) return 32;
  if (size <= 256) return up(16);
  if (size <= 512) return up(32);
  if (size <= 1024) return up(64);
  if (size <= 2048) return up(256);
  return up(512);
}

struct frame {
  unsigned char* memory;
  std::size_t size;
};

frame make(std::size_t size, unsigned char fill) {
  auto* memory = static_cast<unsigned char*>(allocate_frame(size));
  std::memset(memory, fill, size);
  return {memory, size};
}

bool holds(const frame& f, unsigned char fill) {
  return std::all_of(f.memory, f.memory + f.size, [fill](unsigned char c) { return c == fill; });
}

// A queue of frames between threads.
class conveyor {
 public:
  void put(frame f) {
    std::lock_guard guard(mutex_);
    frames_.push_back(f);
    changed_.notify_one();
  }
  frame take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !frames_.empty(); });
    const frame f = frames_.back();
    frames_.pop_back();
    return f;
  }
  bool try_take(frame& f) {
    std::lock_guard guard(mutex_);
    if (frames_.empty()) return false;
    f = frames_.back();
    frames_.pop_back();
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<frame> frames_;
};

TEST(frame_pool, every_size_is_aligned_and_whole) {
  std::vector<frame> frames;
  for (std::size_t size = 0; size <= largest_pooled_frame + 600; ++size)
    frames.push_back(make(size, static_cast<unsigned char>(size * 7)));
  for (const frame& f : frames) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(f.memory) % 16, 0u) << f.size;
    ASSERT_TRUE(holds(f, static_cast<unsigned char>(f.size * 7))) << f.size;
  }
  for (const frame& f : frames) free_frame(f.memory, f.size);
}

TEST(frame_pool, frames_do_not_overlap) {
  std::vector<std::pair<unsigned char*, std::size_t>> ranges;
  for (int round = 0; round < 20; ++round)
    for (std::size_t size = 1; size <= largest_pooled_frame; size += 37)
      ranges.emplace_back(static_cast<unsigned char*>(allocate_frame(size)), size);
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i)
    ASSERT_LE(ranges[i - 1].first + ranges[i - 1].second, ranges[i].first);
  for (auto [memory, size] : ranges) free_frame(memory, size);
}

TEST(frame_pool, a_freed_frame_is_the_next_of_its_class) {
  if (!frames_are_pooled) GTEST_SKIP() << "this build does not pool frames";
  void* first = allocate_frame(200);
  free_frame(first, 200);
  void* other_class = allocate_frame(224);
  void* second = allocate_frame(193);  // 208 bytes like the first
  EXPECT_EQ(second, first);
  EXPECT_NE(other_class, first);
  free_frame(second, 193);
  free_frame(other_class, 224);
}

TEST(frame_pool, counts_what_is_in_use) {
  if (!frames_are_pooled) GTEST_SKIP() << "this build does not pool frames";
  const std::size_t before = frame_pool_usage().in_use;
  std::size_t expected = 0;
  std::vector<std::pair<void*, std::size_t>> frames;
  for (std::size_t size = 0; size <= largest_pooled_frame; ++size) {
    frames.emplace_back(allocate_frame(size), size);
    expected += class_size(size);
    ASSERT_EQ(frame_pool_usage().in_use - before, expected) << size;
  }
  for (auto [memory, size] : frames) {
    free_frame(memory, size);
    expected -= class_size(size);
    ASSERT_EQ(frame_pool_usage().in_use - before, expected) << size;
  }
  void* large = allocate_frame(largest_pooled_frame + 1);
  EXPECT_EQ(frame_pool_usage().in_use, before);
  free_frame(large, largest_pooled_frame + 1);
}

TEST(frame_pool, memory_is_used_again) {
  if (!frames_are_pooled) GTEST_SKIP() << "this build does not pool frames";
  auto round = [] {
    std::vector<void*> frames;
    for (int i = 0; i < 20'000; ++i) frames.push_back(allocate_frame(160));
    for (void* f : frames) free_frame(f, 160);
  };
  round();
  const std::size_t reserved = frame_pool_usage().reserved;
  for (int i = 0; i < 10; ++i) round();
  EXPECT_EQ(frame_pool_usage().reserved, reserved);
}

TEST(frame_pool, a_thread_that_only_frees_hoards_little) {
  if (!frames_are_pooled) GTEST_SKIP() << "this build does not pool frames";
  for (std::size_t size : {32u, 160u, 256u, 1024u, 4096u}) {
    constexpr int count = 3'000;
    std::vector<void*> frames;
    for (int i = 0; i < count; ++i) frames.push_back(allocate_frame(size));
    frame_pool_stats after;
    std::thread([&] {
      for (void* f : frames) free_frame(f, size);
      after = frame_pool_usage();
    }).join();
    EXPECT_LE(after.cached_here, 32u * 1024) << size;
    EXPECT_LE(after.cached_here, 128u * size) << size;
    EXPECT_GE(after.in_depot, (count - 128) * size) << size;
    // And what the other thread freed serves this one.
    const std::size_t reserved = frame_pool_usage().reserved;
    for (void*& f : frames) f = allocate_frame(size);
    EXPECT_EQ(frame_pool_usage().reserved, reserved) << size;
    for (void* f : frames) free_frame(f, size);
  }
}

TEST(frame_pool, producer_and_consumer_threads_reach_a_steady_state) {
  if (!frames_are_pooled) GTEST_SKIP() << "this build does not pool frames";
  conveyor belt;
  std::size_t reserved_early = 0;
  constexpr int count = 100'000;
  conveyor credit;  // bounds what is under way
  for (int i = 0; i < 500; ++i) credit.put({});
  std::thread consumer([&] {
    for (int i = 0; i < count; ++i) {
      const frame f = belt.take();
      free_frame(f.memory, f.size);
      credit.put({});
    }
  });
  for (int i = 0; i < count; ++i) {
    (void)credit.take();
    belt.put({static_cast<unsigned char*>(allocate_frame(240)), 240});
    if (i == count / 10) reserved_early = frame_pool_usage().reserved;
  }
  consumer.join();
  // 500 under way and two batches in each thread: what was reserved after a tenth is enough, up to two chunks of
  // slack.
  EXPECT_LE(frame_pool_usage().reserved, reserved_early + 2 * 64 * 1024);
}

TEST(frame_pool, no_thread_keeps_more_than_the_bound) {
  if (!frames_are_pooled) GTEST_SKIP() << "this build does not pool frames";
  std::vector<frame> frames;
  for (int round = 0; round < 200; ++round)
    for (std::size_t size = 16; size <= largest_pooled_frame; size += 16)
      frames.push_back({static_cast<unsigned char*>(allocate_frame(size)), size});
  std::thread([&] {
    for (const frame& f : frames) free_frame(f.memory, f.size);
    EXPECT_LE(frame_pool_usage().cached_here, most_cached_by_a_thread);
    EXPECT_GT(frame_pool_usage().cached_here, 0u);
  }).join();
}

TEST(frame_pool, a_thread_that_ends_gives_everything_back) {
  if (!frames_are_pooled) GTEST_SKIP() << "this build does not pool frames";
  const frame_pool_stats before = frame_pool_usage();
  auto work = [] {
    std::vector<std::pair<void*, std::size_t>> frames;
    for (std::size_t size = 8; size <= largest_pooled_frame; size += 8)
      frames.emplace_back(allocate_frame(size), size);
    for (auto [memory, size] : frames) free_frame(memory, size);
  };
  std::thread(work).join();
  const frame_pool_stats once = frame_pool_usage();
  EXPECT_EQ(once.in_use, before.in_use);
  EXPECT_EQ(once.in_threads, before.in_threads);
  for (int i = 0; i < 50; ++i) std::thread(work).join();
  const frame_pool_stats often = frame_pool_usage();
  EXPECT_EQ(often.in_use, before.in_use);
  EXPECT_EQ(often.reserved, once.reserved);
}

TEST(frame_pool, short_threads_share_a_chunk) {
  if (!frames_are_pooled) GTEST_SKIP() << "this build does not pool frames";
  // Use up what the depot has of this size, so that everything is cut from chunks.
  std::vector<void*> frames;
  for (const std::size_t before = frame_pool_usage().reserved; frame_pool_usage().reserved == before;)
    frames.push_back(allocate_frame(72));
  const std::size_t reserved = frame_pool_usage().reserved;
  for (int i = 0; i < 100; ++i) std::thread([&] { frames.push_back(allocate_frame(72)); }).join();
  EXPECT_LE(frame_pool_usage().reserved, reserved + 64 * 1024);
  for (void* f : frames) free_frame(f, 72);
}

TEST(frame_pool, the_rest_of_an_ended_threads_chunk_serves_any_size) {
  const std::size_t before = frame_pool_usage().in_use;
  for (std::size_t count = 1; count <= 40; ++count) {
    // Ends somewhere in its chunk; the next thread begins there with the largest size.
    std::vector<frame> frames;
    auto work = [&](std::size_t size) {
      frames.push_back(make(largest_pooled_frame, 0xaa));
      for (std::size_t i = 0; i < count; ++i) frames.push_back(make(size, 0xaa));
    };
    std::thread(work, 1700).join();
    std::thread(work, 3600).join();
    for (const frame& f : frames) EXPECT_TRUE(holds(f, 0xaa));
    for (const frame& f : frames) free_frame(f.memory, f.size);
    ASSERT_EQ(frame_pool_usage().in_use, before) << count;
  }
}

// Freed by the destructor of a thread-local that outlives the thread's lists, which takes new frames there as well.
struct late {
  std::vector<frame> frames;
  ~late() {
    for (const frame& f : frames) {
      if (!holds(f, 0x5a)) std::abort();
      free_frame(f.memory, f.size);
    }
    for (std::size_t size : {40u, 400u, 4000u}) {
      const frame f = make(size, 1);
      const frame g = make(size, 2);
      if (!holds(f, 1) || !holds(g, 2)) std::abort();
      free_frame(f.memory, f.size);
      free_frame(g.memory, g.size);
    }
  }
};
thread_local late late_frames;

TEST(frame_pool, serves_thread_locals_that_are_destroyed_after_it) {
  const frame_pool_stats before = frame_pool_usage();
  for (int i = 0; i < 10; ++i) {
    std::thread([] {
      late_frames.frames.reserve(
          400);  // constructed before this thread's first frame, so destroyed after the lists
      for (int k = 0; k < 400; ++k) late_frames.frames.push_back(make(static_cast<std::size_t>(k) * 11, 0x5a));
    }).join();
  }
  EXPECT_EQ(frame_pool_usage().in_use, before.in_use);
  EXPECT_EQ(frame_pool_usage().in_threads, before.in_threads);
}

// The same for statics: checked by the sanitizers and by the exit code.
struct at_exit {
  frame f = make(100, 0x33);
  ~at_exit() {
    if (!holds(f, 0x33)) std::abort();
    free_frame(f.memory, f.size);
  }
};

TEST(frame_pool, serves_statics_that_are_destroyed_after_main) { static const at_exit keep; }

TEST(frame_pool, storm_of_frames_freed_on_other_threads) {
  constexpr int threads = 4;
  constexpr int rounds = ASTD_SANITIZED ? 10'000 : 100'000;
  auto fill_of = [](std::size_t size) { return static_cast<unsigned char>(size * 31); };
  const std::size_t before = frame_pool_usage().in_use;
  conveyor belts[threads];
  std::atomic<int> bad = 0;
  std::vector<std::thread> all;
  for (int id = 0; id < threads; ++id) {
    all.emplace_back([&, id] {
      std::mt19937 random(static_cast<unsigned>(id) + 1);
      std::vector<frame> own;
      auto drop = [&](const frame& f) {
        if (!holds(f, fill_of(f.size))) ++bad;
        free_frame(f.memory, f.size);
      };
      for (int i = 0; i < rounds; ++i) {
        const std::size_t size = random() % (random() % 8 == 0 ? 5000 : 400);
        const frame made = make(size, fill_of(size));
        if (random() % 2 == 0)
          belts[random() % threads].put(made);
        else
          own.push_back(made);
        if (frame f; belts[id].try_take(f)) drop(f);
        if (own.size() > 100) {
          for (int k = 0; k < 70; ++k) {
            std::swap(own[random() % own.size()], own.back());
            drop(own.back());
            own.pop_back();
          }
        }
      }
      for (const frame& f : own) drop(f);
    });
  }
  for (std::thread& t : all) t.join();
  for (conveyor& belt : belts)
    for (frame f; belt.try_take(f); free_frame(f.memory, f.size)) bad += !holds(f, fill_of(f.size));
  EXPECT_EQ(bad, 0);
  EXPECT_EQ(frame_pool_usage().in_use, before);
}

TEST(frame_pool, out_of_memory_is_bad_alloc) {
  if (ASTD_SANITIZED) GTEST_SKIP() << "the sanitizer's operator new ends the program instead";
  EXPECT_THROW((void)allocate_frame(SIZE_MAX / 4), std::bad_alloc);
}

}  // namespace
}  // namespace astd::detail
