#include <astd/base/spin_lock.hpp>

#include <thread>

namespace astd::detail {

void spin_lock::lock_slowly() noexcept {
  for (;;) {
    for (int i = 0; i < 64; ++i) {
      // Reading only, so that the line stays shared until the holder lets go.
      if (!locked_.load(std::memory_order_relaxed) && !locked_.exchange(true, std::memory_order_acquire)) return;
    }
    std::this_thread::yield();
  }
}

}  // namespace astd::detail
