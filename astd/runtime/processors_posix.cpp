#include <astd/runtime/processors.hpp>

#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace astd::detail {

#if defined(__linux__)
unsigned usable_processors() noexcept {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    if (const int n = CPU_COUNT(&set); n > 0) return static_cast<unsigned>(n);
  const unsigned n = std::thread::hardware_concurrency();
  return n ? n : 1;
}

void pin_this_thread(unsigned n) noexcept {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return;
  const int count = CPU_COUNT(&set);
  if (count <= 0) return;
  int wanted = static_cast<int>(n % static_cast<unsigned>(count));
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &set) || wanted-- != 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ::sched_setaffinity(0, sizeof one, &one);
    return;
  }
}
#else
unsigned usable_processors() noexcept {
  const unsigned n = std::thread::hardware_concurrency();
  return n ? n : 1;
}
void pin_this_thread(unsigned) noexcept {}
#endif

}  // namespace astd::detail
