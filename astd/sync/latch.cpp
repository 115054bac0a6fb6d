#include <astd/sync/latch.hpp>

namespace astd {

void latch::count_down_slowly(std::ptrdiff_t n) noexcept {
  queue_.update([n](detail::wait_queue::word state) {
    check(state, n);
    return state - words(n);
  });
}

void latch::wait_blocking() { detail::wait_on_thread(wait()); }
void latch::arrive_and_wait_blocking(std::ptrdiff_t n) { detail::wait_on_thread(arrive_and_wait(n)); }

bool latch::awaiter::admit(detail::wait_queue::word& state) noexcept { return state == 0; }

void latch::awaiter::describe(std::string& out, unsigned) const {
  describe_as(out, "latch");
  out += ", " + std::to_string(count_in(latch_.queue_.state().load(std::memory_order_relaxed))) + " to come";
}

}  // namespace astd
