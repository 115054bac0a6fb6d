// sim::chaos: accidents at random moments.
//
//   astd::spawn(astd::sim::chaos(universe)).detach();     // beside what is under test
//   co_await universe.quiet();                            // ends it, and repairs everything
#pragma once

#include <astd/coro/task.hpp>
#include <astd/testing/sim/universe.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace astd::sim {

struct chaos_options {
  /// How long it is on the average from one accident to the next.
  std::chrono::nanoseconds every = std::chrono::seconds(2);
  /// Each lasts so long on the average; then it is repaired.
  std::chrono::nanoseconds lasts = std::chrono::seconds(3);
  /// How many at the most.
  std::uint64_t budget = UINT64_MAX;
  /// How probable each kind is when an accident is due, relative to the others. 0: never.
  double partitions = 1, one_way_partitions = 0.5, clogs = 1, crashes = 1, pauses = 1, clock_jumps = 0.5;
  /// No more hosts than this are down at the same time: a minority, if it is left as it is.
  std::size_t most_down = SIZE_MAX;
  /// A clock jumps by so much at most, forth or back.
  std::chrono::nanoseconds jump = std::chrono::minutes(10);
  /// Hosts by name that are left in peace. They are there when it begins.
  std::vector<std::string> spared = {};
};

/// Goes on until universe.quiet() is called, the budget is used up, or it is cancelled. What is broken when it ends early
/// is repaired by quiet(). Hosts that are added meanwhile are struck like the others. Each accident is a fault with a number,
/// so that a smaller run can leave it out. Throws std::invalid_argument for options that make no sense; the run fails with
/// that even if nobody awaits it.
[[nodiscard]] task<> chaos(universe& in, chaos_options o = {});

}  // namespace astd::sim
