// Any awaitable as one of astd's own awaiters, for those that are built on others.
#pragma once

#include <astd/coro/awaitable.hpp>
#include <astd/coro/task.hpp>

#include <type_traits>
#include <utility>

namespace astd::detail {

/// Holds the awaiter of an A in place: an awaiter of astd's as it is, any other inside a small coroutine.
template <class A>
class own_awaiter {
  static_assert(!own_awaitable<A> || startable<A>, "or_return and fail end the coroutine they stand in: await them there");
  static constexpr bool own = own_awaitable<A>;
  template <class X>
  struct of {
    using type = std::remove_cvref_t<awaiter_of<X>>;
  };
  struct wrapped {
    using type = task_awaiter<await_result_t<A>>;
  };

 public:
  using type = typename std::conditional_t<own, of<A>, wrapped>::type;
  using value_type = typename type::value_type;

  explicit own_awaiter(A&& a) : inner_(make(static_cast<A&&>(a))) {}
  type* operator->() noexcept { return &inner_; }
  type& operator*() noexcept { return inner_; }

 private:
  static decltype(auto) make(A&& a) {
    if constexpr (own)
      return detail::get_awaiter(static_cast<A&&>(a));
    else
      return as_task<A>(static_cast<A&&>(a)).operator co_await();
  }
  type inner_;
};

}  // namespace astd::detail
