#include <astd/sync/semaphore.hpp>

#include <algorithm>

namespace astd::detail {

void semaphore::give_slowly(std::ptrdiff_t n, std::ptrdiff_t most) noexcept {
  queue_.update([&](wait_queue::word state) {
    check(state, n, most);
    return state + words(n);
  });
}

bool semaphore::try_acquire(std::ptrdiff_t n) noexcept {
  return queue_.try_take([n](wait_queue::word& state) {
    if (state & closed || permits(state) < n) return false;
    state -= words(n);
    return true;
  });
}

void semaphore::acquire_blocking(std::ptrdiff_t n) { wait_on_thread(acquire(n)); }
semaphore_permit semaphore::acquire_permit_blocking(std::ptrdiff_t n) { return wait_on_thread(acquire_permit(n)); }

std::ptrdiff_t semaphore::forget(std::ptrdiff_t n) noexcept {
  const wait_queue::word state = queue_.lock();
  const std::ptrdiff_t taken = std::clamp<std::ptrdiff_t>(n, 0, permits(state));
  queue_.unlock(state - words(taken));
  return taken;
}

void semaphore::close() noexcept {
  queue_.update([](wait_queue::word state) { return state | closed; });
}

bool semaphore::is_closed() const noexcept {
  return (queue_.state().load(std::memory_order_acquire) & closed) != 0;
}

std::ptrdiff_t semaphore::available() const noexcept {
  return permits(queue_.state().load(std::memory_order_acquire));
}

bool acquire_waiter::admit(wait_queue::word& state) noexcept {
  if (state & semaphore::closed) return refused_ = true;
  if (semaphore::permits(state) < count_) return false;
  state -= semaphore::words(count_);
  return true;
}

void acquire_waiter::describe(std::string& out, unsigned) const {
  describe_as(out, "acquire of semaphore");
  out += ", " + std::to_string(count_) + " wanted, " + std::to_string(semaphore_.available()) + " free";
}

failure acquire_waiter::closed() const noexcept {
  const char* const name = queue().name();
  return {std::make_error_code(std::errc::broken_pipe), "acquire of a closed semaphore", name ? name : ""};
}

}  // namespace astd::detail
