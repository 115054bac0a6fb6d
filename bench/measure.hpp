// How long something takes that a task does.
#pragma once

#include <astd/task.hpp>

#include <bench/report.hpp>

#include <cstdint>

namespace bench {

/// Does `work` as often as a repetition lasts; `operations` is what one time of it does.
template <class Work>
astd::task<> measure(const char* name, std::uint64_t operations, Work& work) {
  for (std::uint64_t turn = 0; turn < repetitions; ++turn) {
    stopwatch const watch;
    std::uint64_t times = 0;
    do {
      co_await work();
      ++times;
    } while (!watch.ran_long_enough());
    watch.report(name, operations * times);
  }
}

}  // namespace bench
