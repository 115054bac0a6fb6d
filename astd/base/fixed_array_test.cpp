#include <astd/base/fixed_array.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace {

using astd::detail::fixed_array;

// Cannot be moved; notes its end.
struct fixed {
  fixed(std::vector<int>& l, int v) : log(l), value(v) {
    if (v < 0) throw v;
  }
  fixed(fixed&&) = delete;
  ~fixed() { log.push_back(value); }
  std::vector<int>& log;
  int value;
};

TEST(fixed_array, holds_what_cannot_be_moved) {
  std::vector<int> log;
  {
    fixed_array<fixed> a(3);
    EXPECT_EQ(a.size(), 0u);
    EXPECT_EQ(a.begin(), a.end());
    fixed& first = a.emplace_back(log, 1);
    a.emplace_back(log, 2);
    a.emplace_back(log, 3);
    EXPECT_EQ(&first, &a[0]);
    EXPECT_EQ(a.size(), 3u);
    int sum = 0;
    for (fixed& f : a) sum = 10 * sum + f.value;
    EXPECT_EQ(sum, 123);
    EXPECT_TRUE(log.empty());
  }
  EXPECT_EQ(log, (std::vector<int>{3, 2, 1})) << "the last first";
}

TEST(fixed_array, may_stay_partly_filled_or_empty) {
  std::vector<int> log;
  {
    fixed_array<fixed> none(0);
    EXPECT_EQ(none.begin(), none.end());
    fixed_array<fixed> a(5);
    a.emplace_back(log, 1);
  }
  EXPECT_EQ(log, (std::vector<int>{1}));
}

TEST(fixed_array, survives_an_element_that_throws) {
  std::vector<int> log;
  {
    fixed_array<fixed> a(3);
    a.emplace_back(log, 1);
    EXPECT_THROW(a.emplace_back(log, -1), int);
    EXPECT_EQ(a.size(), 1u);
    a.emplace_back(log, 2);
  }
  EXPECT_EQ(log, (std::vector<int>{2, 1}));
}

TEST(fixed_array, moves_as_a_whole) {
  std::vector<int> log;
  {
    fixed_array<fixed> a(2);
    fixed* const first = &a.emplace_back(log, 1);
    fixed_array<fixed> b = std::move(a);
    EXPECT_EQ(a.size(), 0u);
    EXPECT_EQ(&b[0], first);
    b.emplace_back(log, 2);
  }
  EXPECT_EQ(log, (std::vector<int>{2, 1}));
}

TEST(fixed_array, refuses_what_no_memory_can_hold) {
  EXPECT_THROW(fixed_array<std::string>(SIZE_MAX / 2), std::bad_alloc);
}

TEST(fixed_array, aligns_its_elements) {
  struct alignas(64) wide {
    explicit wide(int v) : value(v) {}
    int value;
  };
  for (int i = 1; i != 5; ++i) {
    fixed_array<wide> a(static_cast<std::size_t>(i));
    for (int k = 0; k != i; ++k) {
      wide* p = &a.emplace_back(k);
      asm("" : "+r"(p));  // else the compiler knows the answer
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % 64, 0u);
    }
  }
}

}  // namespace
