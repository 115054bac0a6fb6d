// locked: a value with its mutex, which can only be had with the lock.
//
//   astd::locked<std::map<int, std::string>> names;
//   auto guard = co_await names.lock();
//   guard->emplace(1, "one");
//
// shared_locked is the same with a shared_mutex: many read, or one writes.
#pragma once

#include <astd/base/assert.hpp>
#include <astd/sync/mapped.hpp>
#include <astd/sync/mutex.hpp>
#include <astd/sync/shared_mutex.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

/// The guard of a lock, and what it protects. It is a `Guard`: condition_variable::wait() takes it.
template <class Guard, class T>
class [[nodiscard]] value_guard : public Guard {
  using stored = std::remove_const_t<T>;
  template <class, class>
  friend class value_guard;

 public:
  /// Holds nothing.
  value_guard() noexcept = default;
  value_guard(Guard guard, stored& value) noexcept : Guard(std::move(guard)), value_(std::addressof(value)) {}

  /// While it holds the lock.
  [[nodiscard]] T& operator*() const noexcept {
    ASTD_ASSERT(this->owns_lock(), "a value was used without its lock");
    return *value_;
  }
  [[nodiscard]] T* operator->() const noexcept { return std::addressof(**this); }

  /// The same lock with a part of the value: `f` gives a reference to it. Afterwards this guard holds nothing.
  template <class F>
  [[nodiscard]] auto map(F&& f) {
    using part = std::remove_reference_t<std::invoke_result_t<F, T&>>;
    static_assert(std::is_lvalue_reference_v<std::invoke_result_t<F, T&>>, "map gives a reference into the value");
    auto& to = const_cast<std::remove_const_t<part>&>(std::forward<F>(f)(**this));
    return value_guard<Guard, part>(std::move(static_cast<Guard&>(*this)), to);
  }

  // As those of the shared_mutex's guards:
  [[nodiscard]] auto downgrade() noexcept
    requires requires(Guard& g) { g.downgrade(); }
  {
    return value_guard<shared_mutex_shared_guard, const stored>(Guard::downgrade(), *value_);
  }
  [[nodiscard]] auto downgrade_to_upgradable() noexcept
    requires requires(Guard& g) { g.downgrade_to_upgradable(); }
  {
    return value_guard<shared_mutex_upgrade_guard, const stored>(Guard::downgrade_to_upgradable(), *value_);
  }
  [[nodiscard]] auto upgrade() noexcept
    requires requires(Guard& g) { g.upgrade(); }
  {
    auto make = [v = value_](shared_mutex_guard g) {
      return value_guard<shared_mutex_guard, stored>(std::move(g), *v);
    };
    return mapped(Guard::upgrade(), make);
  }
  [[nodiscard]] auto try_upgrade() noexcept
    requires requires(Guard& g) { g.try_upgrade(); }
  {
    std::optional<value_guard<shared_mutex_guard, stored>> out;
    if (auto g = Guard::try_upgrade()) out.emplace(std::move(*g), *value_);
    return out;
  }
  [[nodiscard]] auto upgrade_blocking()
    requires requires(Guard& g) { g.upgrade_blocking(); }
  {
    return value_guard<shared_mutex_guard, stored>(Guard::upgrade_blocking(), *value_);
  }

 private:
  stored* value_ = nullptr;
};

/// What locked and shared_locked have in common.
template <class Mutex, class T>
class locked_base {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>);

 public:
  locked_base(const locked_base&) = delete;
  locked_base& operator=(const locked_base&) = delete;

  /// The value without the lock, for who knows that nobody else can reach it: before it is shared, and after.
  [[nodiscard]] T& unguarded() noexcept { return value_; }
  [[nodiscard]] const T& unguarded() const noexcept { return value_; }
  /// `T value = std::move(l).into_inner();` Moves it out. Nobody may have the lock or wait for it.
  [[nodiscard]] T into_inner() && {
    ASTD_ASSERT(mutex_.try_lock(), "a value was moved out of its lock while that was in use");
    return std::move(value_);
  }

 protected:
  locked_base()
    requires std::is_default_constructible_v<T>
  = default;
  template <class... Args>
  constexpr explicit locked_base(std::in_place_t, Args&&... args) : value_(std::forward<Args>(args)...) {}
  ~locked_base() = default;

  template <class As, class Awaitable>
  auto with_value(Awaitable aw) noexcept {
    auto make = [v = &value_](auto guard) { return value_guard<decltype(guard), As>(std::move(guard), *v); };
    return mapped(std::move(aw), make);
  }
  template <class As, class Guard>
  auto optional_with_value(std::optional<Guard> guard) noexcept {
    std::optional<value_guard<Guard, As>> out;
    if (guard) out.emplace(std::move(*guard), value_);
    return out;
  }

  Mutex mutex_;
  T value_{};
};

}  // namespace detail

template <class T>
using locked_guard = detail::value_guard<mutex_guard, T>;

/// A T that is used by one at a time: see mutex for who gets it when, and for cancellation. Every member but unguarded() and
/// into_inner() may be called on any thread.
template <class T>
class locked final : public detail::locked_base<mutex, T> {
  using base = detail::locked_base<mutex, T>;

 public:
  locked() = default;
  explicit constexpr locked(T value) : base(std::in_place, std::move(value)) {}
  template <class... Args>
  explicit constexpr locked(std::in_place_t, Args&&... args) : base(std::in_place, std::forward<Args>(args)...) {}

  /// `auto guard = co_await l.lock();`, then `*guard`, `guard->member`.
  [[nodiscard]] auto lock() noexcept { return this->template with_value<T>(this->mutex_.lock()); }
  [[nodiscard]] std::optional<locked_guard<T>> try_lock() noexcept {
    return this->template optional_with_value<T>(this->mutex_.try_lock());
  }
  [[nodiscard]] locked_guard<T> lock_blocking() { return {this->mutex_.lock_blocking(), this->value_}; }
};

template <class T>
using shared_locked_guard = detail::value_guard<shared_mutex_guard, T>;
/// Of a const T.
template <class T>
using shared_locked_shared_guard = detail::value_guard<shared_mutex_shared_guard, const T>;
template <class T>
using shared_locked_upgrade_guard = detail::value_guard<shared_mutex_upgrade_guard, const T>;

/// A T that many read or one writes: see shared_mutex for who gets it when, for cancellation, and for what the guards can do.
/// Who reads gets a const T. Every member but unguarded() and into_inner() may be called on any thread.
template <class T>
class shared_locked final : public detail::locked_base<shared_mutex, T> {
  using base = detail::locked_base<shared_mutex, T>;

 public:
  shared_locked() = default;
  explicit constexpr shared_locked(T value) : base(std::in_place, std::move(value)) {}
  template <class... Args>
  explicit constexpr shared_locked(std::in_place_t, Args&&... args)
      : base(std::in_place, std::forward<Args>(args)...) {}

  [[nodiscard]] auto lock() noexcept { return this->template with_value<T>(this->mutex_.lock()); }
  [[nodiscard]] auto lock_shared() noexcept {
    return this->template with_value<const T>(this->mutex_.lock_shared());
  }
  [[nodiscard]] auto lock_upgrade() noexcept {
    return this->template with_value<const T>(this->mutex_.lock_upgrade());
  }
  [[nodiscard]] std::optional<shared_locked_guard<T>> try_lock() noexcept {
    return this->template optional_with_value<T>(this->mutex_.try_lock());
  }
  [[nodiscard]] std::optional<shared_locked_shared_guard<T>> try_lock_shared() noexcept {
    return this->template optional_with_value<const T>(this->mutex_.try_lock_shared());
  }
  [[nodiscard]] std::optional<shared_locked_upgrade_guard<T>> try_lock_upgrade() noexcept {
    return this->template optional_with_value<const T>(this->mutex_.try_lock_upgrade());
  }
  [[nodiscard]] shared_locked_guard<T> lock_blocking() { return {this->mutex_.lock_blocking(), this->value_}; }
  [[nodiscard]] shared_locked_shared_guard<T> lock_shared_blocking() {
    return {this->mutex_.lock_shared_blocking(), this->value_};
  }
  [[nodiscard]] shared_locked_upgrade_guard<T> lock_upgrade_blocking() {
    return {this->mutex_.lock_upgrade_blocking(), this->value_};
  }
};

}  // namespace astd
