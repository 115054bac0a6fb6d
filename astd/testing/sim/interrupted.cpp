#include <astd/random.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/sim/interrupted.hpp>

#include <chrono>

namespace astd::sim::detail {

task<> random_moment() {
  random chance;
  // Turns find the suspensions that follow each other at once, time those that wait for something. As likely between 1 and 2
  // of them as between 1,024 and 2,048.
  const auto some = [&](std::uint64_t doublings) {
    const std::uint64_t least = std::uint64_t(1) << chance.below(doublings);
    return least + chance.below(least);
  };
  const std::uint64_t kind = chance.below(3);
  if (kind != 0) co_await this_task::sleep_for(std::chrono::nanoseconds(some(32)));
  if (kind != 1)
    for (std::uint64_t turns = some(8); turns > 0; --turns) co_await this_task::yield();
}

}  // namespace astd::sim::detail
