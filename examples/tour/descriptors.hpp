// How many sockets and files the process may have open.
#pragma once

#include <cstddef>

#if __has_include(<sys/resource.h>)
#include <sys/resource.h>
#endif

namespace tour {

/// Raises the limit as far as the system lets everybody, and gives it.
inline std::size_t raise_descriptor_limit() {
#if __has_include(<sys/resource.h>)
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
  return limit.rlim_cur;
#else
  return 4096;
#endif
}

}  // namespace tour
