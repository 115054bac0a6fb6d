// For tests of any floor: the limit of descriptors.
#pragma once

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace astd::test {

/// Whether fewer than `wanted` descriptors may be open here; the test is then counted as skipped, and says why.
[[nodiscard]] inline bool lacks_descriptors(rlim_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return false;
  [&] { GTEST_SKIP() << "NOT RUN: needs " << wanted << " descriptors, and may have " << limit.rlim_cur; }();
  return true;
}

/// From now on no descriptor from `end` on can be opened; false if that failed.
inline bool limit_descriptors(int end) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = static_cast<rlim_t>(end);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

inline int lowest_free_descriptor() {
  const int lowest = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
  ::close(lowest);
  return lowest;
}

/// Leaves the process without a free descriptor for its lifetime, or with at most that many.
class no_more_descriptors {
 public:
  explicit no_more_descriptors(int but = 0) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    limit_descriptors(lowest_free_descriptor() + but);
  }
  ~no_more_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  no_more_descriptors(const no_more_descriptors&) = delete;
  no_more_descriptors& operator=(const no_more_descriptors&) = delete;

 private:
  rlimit before_;
};

}  // namespace astd::test
