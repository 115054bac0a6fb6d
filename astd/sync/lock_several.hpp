// lock(a, b, ...): several locks at once, without a deadlock.
//
//   auto [from, to] = co_await astd::lock(account_1, account_2);
#pragma once

#include <astd/base/assert.hpp>
#include <astd/coro/task.hpp>
#include <astd/sync/wait_on_thread.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

template <class M>
using guard_of = typename std::remove_cvref_t<decltype(std::declval<M&>().try_lock())>::value_type;
/// What has a lock() to await that gives a guard, and a try_lock().
template <class M>
concept lockable = requires(M& m) {
  { m.lock() } -> awaitable;
  typename guard_of<M>;
  requires std::same_as<await_result_t<decltype(m.lock())>, guard_of<M>>;
};

/// One of several.
class one_lock {
 public:
  virtual task<> take() = 0;
  virtual bool try_take() = 0;
  virtual void give_back() noexcept = 0;

 protected:
  ~one_lock() = default;
};

template <class M>
class one_lock_of final : public one_lock {
 public:
  explicit one_lock_of(M& m) noexcept : of_(m) {}
  task<> take() override {
    auto guard = co_await of_.lock();
    guard_.emplace(std::move(guard));
  }
  bool try_take() override {
    guard_ = of_.try_lock();
    return guard_.has_value();
  }
  void give_back() noexcept override { guard_.reset(); }
  guard_of<M>&& guard() noexcept { return std::move(*guard_); }

 private:
  M& of_;
  std::optional<guard_of<M>> guard_;
};

/// Takes all; holds none while it waits for one.
task<> take_all(std::span<one_lock* const> all);
/// All or none.
bool try_take_all(std::span<one_lock* const> all);

bool are_distinct(std::initializer_list<const void*> locks) noexcept;

template <class... M>
task<std::tuple<guard_of<M>...>> lock_all(M&... m) {
  ASTD_ASSERT(are_distinct({static_cast<const void*>(std::addressof(m))...}),
              "one lock is to be locked twice at once");
  std::tuple<one_lock_of<M>...> locks{m...};
  const std::array<one_lock*, sizeof...(M)> all =
      std::apply([](auto&... l) { return std::array<one_lock*, sizeof...(M)>{&l...}; }, locks);
  co_await take_all(all);
  co_return std::apply([](auto&... l) { return std::tuple<guard_of<M>...>(l.guard()...); }, locks);
}

}  // namespace detail

/// Locks all of them, as std::lock and std::scoped_lock: gives a tuple of their guards. In whatever order others lock the
/// same, nobody waits for ever: while it waits for one it holds none of the others. Cancelled, it holds none. Takes
/// frames of the pool. mutex, timed_mutex, shared_mutex (to write), locked, shared_locked. They outlive the await.
template <detail::lockable... M>
  requires(sizeof...(M) > 1)
[[nodiscard]] auto lock(M&... m) {
  return detail::lock_all(m...);
}
/// The same if all are free at once; else nothing, and none is held.
template <detail::lockable... M>
  requires(sizeof...(M) > 1)
[[nodiscard]] std::optional<std::tuple<detail::guard_of<M>...>> try_lock(M&... m) {
  std::tuple<detail::one_lock_of<M>...> locks{m...};
  const std::array<detail::one_lock*, sizeof...(M)> all =
      std::apply([](auto&... l) { return std::array<detail::one_lock*, sizeof...(M)>{&l...}; }, locks);
  if (!detail::try_take_all(all)) return std::nullopt;
  return std::apply([](auto&... l) { return std::tuple<detail::guard_of<M>...>(l.guard()...); }, locks);
}
/// As lock(), for plain threads.
template <detail::lockable... M>
  requires(sizeof...(M) > 1)
[[nodiscard]] auto lock_blocking(M&... m) {
  return detail::wait_on_thread(detail::lock_all(m...));
}

}  // namespace astd
