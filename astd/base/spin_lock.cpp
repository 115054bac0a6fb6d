#include <astd/base/backoff.hpp>
#include <astd/base/spin_lock.hpp>

namespace astd::detail {

void spin_lock::lock_slowly() noexcept {
  backoff until_it_is_free;
  do until_it_is_free.wait();
  while (locked_.load(std::memory_order_relaxed) || locked_.exchange(true, std::memory_order_acquire));
}

}  // namespace astd::detail
