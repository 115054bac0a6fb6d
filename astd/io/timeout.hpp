// io::timeout(d, aw): the same as astd::timeout, where whoever looks for it among the functions of io finds it.
//
//   auto n = co_await io::timeout(5s, stream.read(buffer));    // or std::errc::timed_out
#pragma once

#include <astd/time/timeout.hpp>

namespace astd::io {

using astd::timeout;

}  // namespace astd::io
