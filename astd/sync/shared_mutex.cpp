#include <astd/coro/task_header.hpp>
#include <astd/sync/shared_mutex.hpp>

#include <string>

namespace astd {

bool shared_mutex::try_acquire(hold how) noexcept {
  const bool had = queue_.try_take([how](word& state) {
    if (!admits(state, how)) return false;
    state += part_of(how);
    return true;
  });
  if (had && how != hold::shared) owner_.set_here();
  return had;
}

std::optional<shared_mutex_guard> shared_mutex::try_lock() noexcept {
  if (!try_acquire(hold::exclusive)) return std::nullopt;
  return shared_mutex_guard(*this);
}
std::optional<shared_mutex_shared_guard> shared_mutex::try_lock_shared() noexcept {
  if (!try_acquire(hold::shared)) return std::nullopt;
  return shared_mutex_shared_guard(*this);
}
std::optional<shared_mutex_upgrade_guard> shared_mutex::try_lock_upgrade() noexcept {
  if (!try_acquire(hold::upgradable)) return std::nullopt;
  return shared_mutex_upgrade_guard(*this);
}

shared_mutex_guard shared_mutex::lock_blocking() { return detail::wait_on_thread(lock()); }
shared_mutex_shared_guard shared_mutex::lock_shared_blocking() { return detail::wait_on_thread(lock_shared()); }
shared_mutex_upgrade_guard shared_mutex::lock_upgrade_blocking() { return detail::wait_on_thread(lock_upgrade()); }

void shared_mutex::change_slowly(word from, word to) noexcept {
  queue_.update([=](word state) { return state - from + to; });
}

bool shared_mutex::try_upgrade() noexcept {
  word seen = queue_.state().load(std::memory_order_relaxed);
  while (!(seen & detail::wait_queue::flags) && seen == upgrader)
    // acquire: what was done before the readers left.
    if (queue_.state().compare_exchange_weak(seen, writer, std::memory_order_acquire, std::memory_order_relaxed))
      return true;
  if (!(seen & detail::wait_queue::flags)) return false;
  // Those who wait do so for us.
  const word state = queue_.lock();
  const bool alone = state == upgrader;
  queue_.unlock(alone ? writer : state);
  return alone;
}

void shared_mutex::describe(std::string& out) const {
  const word state = queue_.state().load(std::memory_order_relaxed);
  if (state & (writer | upgrader)) owner_.describe(out);
  if (const word readers = state / reader) {
    out += state & upgrader ? " and by " : ", held by ";
    out += std::to_string(readers) + (readers == 1 ? " reader" : " readers");
  }
}

namespace detail {

bool shared_lock_waiter::admit(wait_queue::word& state) noexcept {
  if (!shared_mutex::admits(state, how_)) return false;
  state += shared_mutex::part_of(how_);
  if (how_ == hold::shared) return true;
  const task_header* const t = in()->task();
  mutex_.owner_.set(t ? t->id : 0);
  return true;
}

void shared_lock_waiter::describe(std::string& out, unsigned) const {
  describe_as(out, how_ == hold::exclusive ? "lock of shared_mutex"
                   : how_ == hold::shared  ? "shared lock of shared_mutex"
                                           : "upgradable lock of shared_mutex");
  mutex_.describe(out);
}

bool upgrade_awaiter::admit(wait_queue::word& state) noexcept {
  if (state != shared_mutex::upgrader) return false;
  state = shared_mutex::writer;
  return true;
}

void upgrade_awaiter::describe(std::string& out, unsigned) const {
  describe_as(out, "upgrade of shared_mutex");
  from_.mutex()->describe(out);
}

}  // namespace detail
}  // namespace astd
