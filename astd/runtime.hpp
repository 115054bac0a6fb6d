// Runtimes of your own: options, an end with a report, metrics, and every task as text. Most programs need none of it.
//
//   std::string everything = astd::dump_tasks();
//   std::string counters = astd::runtime::current().metrics().to_string();
#pragma once

#include <astd/runtime/runtime.hpp>
