// How a loop sleeps. What it does with operations and timers is tested by those who use it.
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/this_task.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;

// Twenty thousand sleeps that end 5 us apart: each for itself, they would be two thousand wakes.
TEST(loop, timers_that_come_thick_are_fired_in_bunches) {
  runtime rt({.workers = 1, .name = "dense"});
  const auto sleep = [](std::chrono::microseconds time) -> task<> { co_await this_task::sleep_for(time); };
  const auto sleep_all = [sleep]() -> task<> {
    std::vector<join_handle<>> all;
    for (int i = 1; i <= 20'000; ++i) all.push_back(spawn(sleep, i * 5us));
    for (auto& one : all) co_await one;
  };
  const auto begin = std::chrono::steady_clock::now();
  const auto before = rt.metrics().total().parks;
  rt.block_on(rt.spawn(sleep_all));
  const auto parks = rt.metrics().total().parks - before;
  const auto half_milliseconds = (std::chrono::steady_clock::now() - begin) / 500us;
  EXPECT_LE(parks, static_cast<std::uint64_t>(half_milliseconds) + 100);
}

}  // namespace
