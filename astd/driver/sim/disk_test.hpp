// For tests of the simulated disk: a world with one machine, whose turn it is, and a loop on it.
#pragma once

#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/test_files.hpp>

#include <utility>

namespace astd::driver::sim::testing {

using astd::driver::testing::file_calls;
using astd::driver::testing::polling;
using astd::driver::testing::test_loop;
using astd::driver::testing::test_operation;
using astd::driver::testing::test_options;
using astd::driver::testing::transferring;

struct disk_world {
  explicit disk_world(world_options options) : w(std::move(options)) { world::set_here(&w); }
  /// One where what can end at once does.
  static world_options prompt(std::uint64_t seed = 1) { return {.seed = seed, .later = 0}; }
  ~disk_world() { world::set_here(nullptr); }

  [[nodiscard]] test_options on_it() {
    test_options result;
    result.machine = &m;
    return result;
  }
  /// Off and on again.
  void crash() {
    m.crash();
    while (loop.collect()) {
    }
    m.restart();
  }

  world w;
  machine& m = w.add_machine("here");
  const machine::turn turn{m};
  disk& d = m.storage();
  test_loop loop{on_it()};
  file_calls f{loop};
};

}  // namespace astd::driver::sim::testing
