#include <astd/driver/sim/machine.hpp>
#include <astd/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace {

using astd::driver::sim::machine;
using astd::driver::sim::world;

static_assert(std::uniform_random_bit_generator<astd::random>);

TEST(random, keeps_within_its_limits) {
  astd::random chance;
  std::array<int, 6> seen{};
  for (int i = 0; i < 6000; ++i) ++seen[chance.below(6)];
  for (const int n : seen) EXPECT_GT(n, 500);  // 1000 expected: off by 17 standard deviations
  EXPECT_EQ(chance.below(1), 0u);
  EXPECT_EQ(chance.below(0), 0u);
  for (int i = 0; i < 1000; ++i) {
    const auto n = chance.between(-2, 2);
    EXPECT_GE(n, -2);
    EXPECT_LE(n, 2);
  }
  EXPECT_EQ(chance.between(5, 5), 5);
  EXPECT_EQ(chance.between(5, 4), 5);
  static_cast<void>(chance.between(INT64_MIN, INT64_MAX));
  EXPECT_FALSE(chance.chance(0));
  EXPECT_TRUE(chance.chance(1));
}

TEST(random, fills_bytes_to_the_last) {
  std::array<std::byte, 21> bytes{};
  std::array<bool, 21> changed{};
  for (int i = 0; i < 64; ++i) {
    astd::random::fill(bytes);
    for (std::size_t k = 0; k < bytes.size(); ++k) changed[k] = changed[k] || bytes[k] != std::byte(0);
  }
  EXPECT_TRUE(std::ranges::all_of(changed, [](bool b) { return b; }));
  astd::random::fill({});
}

TEST(random, shuffles_with_the_standard_library) {
  std::vector<int> numbers(100);
  for (int i = 0; i < 100; ++i) numbers[static_cast<std::size_t>(i)] = i;
  auto shuffled = numbers;
  std::ranges::shuffle(shuffled, astd::random());
  EXPECT_NE(shuffled, numbers);
  EXPECT_TRUE(std::ranges::is_permutation(shuffled, numbers));
}

TEST(random, threads_draw_different_numbers) {
  std::set<std::uint64_t> drawn;
  for (int i = 0; i < 4; ++i) {
    std::uint64_t word = 0;
    std::thread([&] { word = astd::random::next(); }).join();
    drawn.insert(word);
  }
  EXPECT_EQ(drawn.size(), 4u);
}

TEST(random, a_simulation_decides_it) {
  const auto draw = [](std::uint64_t seed) {
    astd::driver::sim::world_options options;
    options.seed = seed;
    world w(options);
    machine& m = w.add_machine("host");
    const machine::turn turn(m);
    std::vector<std::uint64_t> numbers;
    for (int i = 0; i < 10; ++i) numbers.push_back(astd::random::next());
    return numbers;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

}  // namespace
