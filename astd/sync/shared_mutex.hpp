// shared_mutex: many read, or one writes, however long it takes, across awaits.
//
//   astd::shared_mutex m;
//   auto reading = co_await m.lock_shared();
//
//   auto looking = co_await m.lock_upgrade();      // reads beside others, and may become the one that writes
//   if (is_stale(cache)) {
//     auto writing = co_await looking.upgrade();   // nobody has written in between
//     cache = co_await load();
//   }
#pragma once

#include <astd/base/assert.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/coro/outcome.hpp>
#include <astd/sync/lock_guard.hpp>
#include <astd/sync/owner.hpp>
#include <astd/sync/wait_on_thread.hpp>
#include <astd/sync/wait_queue.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace astd {

class shared_mutex;
namespace detail {

/// The three ways to hold a shared_mutex.
enum class hold : std::uint8_t { exclusive, shared, upgradable };
template <hold How>
struct shared_way;
template <hold How>
class shared_guard;
class shared_lock_waiter;
template <hold How>
class shared_lock_awaiter;
template <hold How>
class shared_lock_awaitable;
class upgrade_awaiter;
class upgrade_awaitable;

}  // namespace detail

/// The right to write, to read, and to read with the option to write: see detail::shared_guard.
using shared_mutex_guard = detail::shared_guard<detail::hold::exclusive>;
using shared_mutex_shared_guard = detail::shared_guard<detail::hold::shared>;
using shared_mutex_upgrade_guard = detail::shared_guard<detail::hold::upgradable>;

/// A lock for tasks that many can hold to read, or one to write; and beside readers, one that may upgrade.
///
/// Fair: one queue for all. Who comes while others wait lines up behind them, so a waiting writer keeps new readers out,
/// and is not starved by them; what stands at the front is let in together: all readers up to the next writer. Therefore a
/// task that reads must not lock_shared() again: with a writer between the two it waits for itself, which dump_tasks()
/// shows. An upgrade goes before all who wait. There is no poisoning.
///
/// Every member may be called on any thread, tasks or not. It outlives its guards and whoever waits for it; it may be
/// destroyed as soon as it is free and nobody waits.
class shared_mutex {
 public:
  constexpr shared_mutex() noexcept = default;
  /// `name` is shown by dump_tasks(). It must outlive the mutex: usually a literal.
  explicit constexpr shared_mutex(const char* name) noexcept : queue_(0, name) {}
  ~shared_mutex() {
    ASTD_ASSERT(queue_.state().load(std::memory_order_relaxed) == 0, "a shared_mutex was destroyed while in use");
  }

  /// Each gives a guard: `auto guard = co_await m.lock();`. When it can be had at once: one compare-exchange, and no
  /// suspension. Cancellation ends the wait at once, and lets those behind it in who only waited for it; if the lock was
  /// just handed over, the guard is given, and the task stops at its next suspension, by which the guard is destroyed.
  [[nodiscard]] detail::shared_lock_awaitable<detail::hold::exclusive> lock() noexcept;
  [[nodiscard]] detail::shared_lock_awaitable<detail::hold::shared> lock_shared() noexcept;
  [[nodiscard]] detail::shared_lock_awaitable<detail::hold::upgradable> lock_upgrade() noexcept;
  /// A guard if that is possible at once and nobody waits before; else nothing.
  [[nodiscard]] std::optional<shared_mutex_guard> try_lock() noexcept;
  [[nodiscard]] std::optional<shared_mutex_shared_guard> try_lock_shared() noexcept;
  [[nodiscard]] std::optional<shared_mutex_upgrade_guard> try_lock_upgrade() noexcept;
  /// For plain threads: they block the thread, and need no runtime.
  [[nodiscard]] shared_mutex_guard lock_blocking();
  [[nodiscard]] shared_mutex_shared_guard lock_shared_blocking();
  [[nodiscard]] shared_mutex_upgrade_guard lock_upgrade_blocking();

 private:
  template <detail::hold How>
  friend class detail::shared_guard;
  template <detail::hold How>
  friend struct detail::shared_way;
  friend class detail::shared_lock_waiter;
  friend class detail::upgrade_awaiter;
  using word = detail::wait_queue::word;
  using hold = detail::hold;
  static constexpr word writer = detail::wait_queue::one, upgrader = 2 * writer, reader = 4 * writer;

  /// What `how` adds to the state, and what must not be there.
  static constexpr word part_of(hold how) noexcept {
    return how == hold::exclusive ? writer : how == hold::shared ? reader : upgrader;
  }
  static constexpr bool admits(word state, hold how) noexcept {
    return how == hold::exclusive ? state == 0
           : how == hold::shared  ? (state & writer) == 0
                                  : (state & (writer | upgrader)) == 0;
  }

  /// True if the lock was had at once.
  bool acquire(hold how) noexcept {
    word seen = queue_.state().load(std::memory_order_relaxed);
    while (!(seen & detail::wait_queue::flags) && admits(seen, how))
      // acquire: what was done under the lock before.
      if (queue_.state().compare_exchange_weak(seen, seen + part_of(how), std::memory_order_acquire,
                                               std::memory_order_relaxed)) {
        if (how != hold::shared) owner_.set_here();
        return true;
      }
    return false;
  }
  bool try_acquire(hold how) noexcept;
  /// From one way to hold it to a lesser one, or to none at all.
  void change(word from, word to) noexcept {
    word seen = queue_.state().load(std::memory_order_relaxed);
    while (!(seen & detail::wait_queue::flags))
      // release: for whoever comes next, also past the changes of others in between.
      if (queue_.state().compare_exchange_weak(seen, seen - from + to, std::memory_order_release,
                                               std::memory_order_relaxed))
        return;
    change_slowly(from, to);
  }
  void change_slowly(word from, word to) noexcept;
  bool try_upgrade() noexcept;
  void describe(std::string& out) const;

  detail::wait_queue queue_;
  detail::owner owner_;
};

namespace detail {

/// How a shared_mutex is held.
template <hold How>
struct shared_way {
  static void unlock(shared_mutex& m) noexcept { m.change(shared_mutex::part_of(How), 0); }
  static auto lock(shared_mutex& m) noexcept;
  static auto try_lock(shared_mutex& m) noexcept;
  static shared_guard<How> lock_blocking(shared_mutex& m) { return wait_on_thread(lock(m)); }
};

/// Holds a shared_mutex in one of three ways, until it is destroyed or unlock() is called. Movable, may cross tasks and
/// threads.
template <hold How>
class [[nodiscard]] shared_guard : public lock_guard<shared_mutex, shared_way<How>> {
  using base = lock_guard<shared_mutex, shared_way<How>>;

 public:
  using base::base;

  /// Goes on as a reader, without a moment in which somebody else could write; readers at the front come in. Afterwards
  /// this guard holds nothing.
  [[nodiscard]] shared_guard<hold::shared> downgrade() noexcept
    requires(How != hold::shared)
  {
    return change_to<hold::shared>();
  }
  /// The same as one that may upgrade again.
  [[nodiscard]] shared_guard<hold::upgradable> downgrade_to_upgradable() noexcept
    requires(How == hold::exclusive)
  {
    return change_to<hold::upgradable>();
  }
  /// `auto writing = co_await reading.upgrade();` Waits until the readers have gone, with nobody let in meanwhile, so that
  /// nobody writes in between; then this guard holds nothing. Until then it holds what it held: also when the wait is
  /// cancelled, or ends by a timeout. The guard outlives the await.
  [[nodiscard]] upgrade_awaitable upgrade() noexcept
    requires(How == hold::upgradable);
  /// At once if there are no readers; else nothing, and this guard holds what it held.
  [[nodiscard]] std::optional<shared_guard<hold::exclusive>> try_upgrade() noexcept
    requires(How == hold::upgradable)
  {
    ASTD_ASSERT(this->owns_lock(), "a guard was upgraded that holds nothing");
    if (!this->mutex()->try_upgrade()) return std::nullopt;
    return shared_guard<hold::exclusive>(*this->release());
  }
  /// As upgrade(), for plain threads.
  [[nodiscard]] shared_guard<hold::exclusive> upgrade_blocking()
    requires(How == hold::upgradable);

 private:
  template <hold To>
  shared_guard<To> change_to() noexcept {
    shared_mutex* const held = this->release();
    ASTD_ASSERT(held, "a guard was downgraded that holds nothing");
    held->change(shared_mutex::part_of(How), shared_mutex::part_of(To));
    return shared_guard<To>(*held);
  }
};

class shared_lock_waiter : public waiter {
 protected:
  shared_lock_waiter(shared_mutex& m, hold how) noexcept : waiter(m.queue_), mutex_(m), how_(how) {}
  ~shared_lock_waiter() = default;
  bool acquire() noexcept { return mutex_.acquire(how_); }
  bool admit(wait_queue::word& state) noexcept override;
  void describe(std::string& out, unsigned depth) const override;
  shared_mutex& mutex_;
  const hold how_;
};

template <hold How>
class shared_lock_awaiter final : public shared_lock_waiter, public awaiter_base<shared_lock_awaiter<How>> {
 public:
  using value_type = shared_guard<How>;
  explicit shared_lock_awaiter(shared_mutex& m) noexcept : shared_lock_waiter(m, How) {}
  bool await_ready() noexcept { return acquire(); }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<value_type> take() noexcept {
    resumed();
    outcome<value_type> out;
    out.set_value(mutex_);
    return out;
  }
};

template <hold How>
class shared_lock_awaitable {
 public:
  explicit shared_lock_awaitable(shared_mutex& m) noexcept : mutex_(m) {}
  auto operator co_await() const noexcept { return shared_lock_awaiter<How>(mutex_); }

 private:
  shared_mutex& mutex_;
};

class upgrade_awaiter final : public waiter, public awaiter_base<upgrade_awaiter> {
 public:
  using value_type = shared_guard<hold::exclusive>;
  explicit upgrade_awaiter(shared_guard<hold::upgradable>& from) noexcept
      : waiter(from.mutex()->queue_), from_(from) {}
  bool await_ready() noexcept { return from_.mutex()->try_upgrade(); }
  resumable* start(const await_context& c) noexcept { return wait(c, turn::first); }
  outcome<value_type> take() noexcept {
    resumed();
    outcome<value_type> out;
    out.set_value(*from_.release());
    return out;
  }

 private:
  bool admit(wait_queue::word& state) noexcept override;
  void describe(std::string& out, unsigned depth) const override;
  shared_guard<hold::upgradable>& from_;
};

class upgrade_awaitable {
 public:
  explicit upgrade_awaitable(shared_guard<hold::upgradable>& from) noexcept : from_(from) {}
  auto operator co_await() const noexcept { return upgrade_awaiter(from_); }

 private:
  shared_guard<hold::upgradable>& from_;
};

template <hold How>
upgrade_awaitable shared_guard<How>::upgrade() noexcept
  requires(How == hold::upgradable)
{
  ASTD_ASSERT(this->owns_lock(), "a guard was upgraded that holds nothing");
  return upgrade_awaitable(*this);
}
template <hold How>
shared_guard<hold::exclusive> shared_guard<How>::upgrade_blocking()
  requires(How == hold::upgradable)
{
  return wait_on_thread(upgrade());
}

}  // namespace detail

inline detail::shared_lock_awaitable<detail::hold::exclusive> shared_mutex::lock() noexcept {
  return detail::shared_lock_awaitable<hold::exclusive>(*this);
}
inline detail::shared_lock_awaitable<detail::hold::shared> shared_mutex::lock_shared() noexcept {
  return detail::shared_lock_awaitable<hold::shared>(*this);
}
inline detail::shared_lock_awaitable<detail::hold::upgradable> shared_mutex::lock_upgrade() noexcept {
  return detail::shared_lock_awaitable<hold::upgradable>(*this);
}

namespace detail {

template <hold How>
auto shared_way<How>::lock(shared_mutex& m) noexcept {
  if constexpr (How == hold::exclusive)
    return m.lock();
  else if constexpr (How == hold::shared)
    return m.lock_shared();
  else
    return m.lock_upgrade();
}
template <hold How>
auto shared_way<How>::try_lock(shared_mutex& m) noexcept {
  if constexpr (How == hold::exclusive)
    return m.try_lock();
  else if constexpr (How == hold::shared)
    return m.try_lock_shared();
  else
    return m.try_lock_upgrade();
}

}  // namespace detail

}  // namespace astd
