#include <astd/runtime/system_random.hpp>

#include <chrono>

#include <sys/random.h>

namespace astd::detail {

std::uint64_t system_random() noexcept {
  std::uint64_t word;
  // So few bytes come whole or not at all; a process that starts before the system has gathered any does not wait.
  if (::getrandom(&word, sizeof word, GRND_NONBLOCK) == static_cast<::ssize_t>(sizeof word)) return word;
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
         reinterpret_cast<std::uintptr_t>(&word);
}

}  // namespace astd::detail
