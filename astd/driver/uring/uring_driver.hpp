// The driver over io_uring: operations become entries of the submission queue, one system call a turn of the loop
// hands them over and brings back what has ended.
#pragma once

#include <astd/driver/driver.hpp>

namespace astd::driver {

/// `reason` of a driver: what was got ("256 entries, deferred task work").
[[nodiscard]] selected make_uring_driver(const options& options);

/// The same as on the oldest kernel that will do, on any: none of the setup flags, no operation that can be carried
/// out otherwise, no multishot poll, sockets that are waited for and then called. For the tests.
[[nodiscard]] selected make_old_uring_driver(const options& options);

}  // namespace astd::driver
