// The driver for every Linux: tries the non-blocking call first, and waits for readiness with an edge-triggered epoll
// where it would have blocked. Files go to the blocking pool unless the page cache has them.
#pragma once

#include <astd/driver/driver.hpp>

#include <memory>

namespace astd::driver {

/// Null on failure; `error` is then the negated errno and `call` the system call that failed.
[[nodiscard]] std::unique_ptr<driver> make_epoll_driver(const options& options, int& error, const char*& call);

}  // namespace astd::driver
