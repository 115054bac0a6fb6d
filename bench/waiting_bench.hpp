// The benchmarks of what tasks wait in for each other: locks and channels. A part of astd_bench.
#pragma once

#include <astd/task.hpp>

#include <bench/report.hpp>

namespace bench {

/// False: there is no such benchmark here.
astd::task<bool> waiting(arguments what);

}  // namespace bench
