// ready(v): a value that is there. pending<T>(): one that never comes. For where an awaitable is wanted and there is
// nothing to wait for, or no end to it.
//
//   auto n = co_await timeout(0s, ready(42));    // 42: what is there beats any limit
//   co_await race(serve(), pending());           // as long as serve()
#pragma once

#include <astd/coro/awaitable.hpp>

#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

template <class T>
class ready_awaiter : public awaiter_base<ready_awaiter<T>> {
 public:
  using value_type = T;
  template <class... U>
  explicit ready_awaiter(std::in_place_t, U&&... value) {
    value_.set_value(std::forward<U>(value)...);
  }
  bool await_ready() const noexcept { return true; }
  resumable* start(const await_context& c) const noexcept { return c.continuation; }
  outcome<T> take() { return std::move(value_); }

 private:
  outcome<T> value_;
};

template <class T>
class pending_awaiter final : public suspension, public awaiter_base<pending_awaiter<T>> {
 public:
  using value_type = T;
  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept {
    attach(c);
    return publish() ? nullptr : stop();
  }
  outcome<T> take() noexcept { return {}; }
  void request_stop() noexcept override {
    complete(true);
    stop_request_done();
  }
  void describe(std::string& out, unsigned) const override { out += "pending, for ever"; }
};

template <class T>
class pending_awaitable {
 public:
  auto operator co_await() const noexcept { return pending_awaiter<T>(); }
};

}  // namespace detail

/// Gives `value`, which is moved or copied in, at once: awaiting it neither suspends nor stops a cancelled task.
template <class T>
[[nodiscard]] auto ready(T&& value) {
  return detail::ready_awaiter<std::decay_t<T>>(std::in_place, std::forward<T>(value));
}
[[nodiscard]] inline auto ready() { return detail::ready_awaiter<void>(std::in_place); }

/// Never ends; can only be cancelled.
template <class T = void>
[[nodiscard]] auto pending() noexcept {
  return detail::pending_awaitable<T>();
}

}  // namespace astd
