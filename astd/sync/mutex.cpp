#include <astd/coro/task_header.hpp>
#include <astd/sync/mutex.hpp>

namespace astd {

void mutex::unlock_slowly() noexcept {
  queue_.update([](detail::wait_queue::word) { return free; });
}

// That somebody has the list at this moment is no reason to fail.
bool mutex::acquire_in_spite() noexcept {
  const detail::wait_queue::word seen = queue_.state().load(std::memory_order_relaxed);
  if (seen != (free | detail::wait_queue::busy) && seen != free) return false;
  const detail::wait_queue::word state = queue_.lock();
  const bool had = state == free && queue_.empty();
  if (had) owner_.set_here();
  queue_.unlock(had ? locked : state);
  return had;
}

mutex_guard mutex::lock_blocking() { return detail::wait_on_thread(lock()); }

bool mutex::hand_to(const detail::chain& c, detail::wait_queue::word& state) noexcept {
  if (state != free) return false;
  state = locked;
  const detail::task_header* const t = c.task();
  owner_.set(t ? t->id : 0);
  return true;
}

bool mutex::lock_awaiter::admit(detail::wait_queue::word& state) noexcept { return mutex_.hand_to(*in(), state); }

void mutex::lock_awaiter::describe(std::string& out, unsigned) const {
  describe_as(out, "lock of mutex");
  mutex_.owner_.describe(out);
}

}  // namespace astd
