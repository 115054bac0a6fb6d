// The benchmarks of channels. A part of astd_bench.
#pragma once

#include <astd/task.hpp>

#include <bench/report.hpp>

namespace bench {

/// False: there is no such benchmark here.
astd::task<bool> channels(arguments what);

}  // namespace bench
