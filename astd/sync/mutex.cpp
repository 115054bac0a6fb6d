#include <astd/coro/task_header.hpp>
#include <astd/sync/mutex.hpp>

namespace astd {

void mutex::unlock_slowly() noexcept {
  queue_.update([](detail::wait_queue::word) { return free; });
}

std::optional<mutex_guard> mutex::try_lock() noexcept {
  const bool had = queue_.try_take([](detail::wait_queue::word& state) {
    if (state != free) return false;
    state = locked;
    return true;
  });
  if (!had) return std::nullopt;
  owner_.set_here();
  return mutex_guard(*this);
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
