// Any awaitable as one of astd's own awaiters, for those that are built on others.
#pragma once

#include <astd/coro/awaitable.hpp>
#include <astd/coro/outcome.hpp>
#include <astd/coro/task.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace astd::detail {

/// Holds the awaiter of an A in place: an awaiter of astd's as it is, any other inside a small coroutine.
template <class A>
class own_awaiter {
  static_assert(!own_awaitable<A> || startable<A>,
                "or_return and fail end the coroutine they stand in: await them there");
  static constexpr bool own = own_awaitable<A>;
  template <class X>
  struct of {
    using type = std::remove_cvref_t<awaiter_of<X>>;
  };
  struct wrapped {
    using type = task_awaiter<kept_result_t<A>>;
  };

 public:
  using type = typename std::conditional_t<own, of<A>, wrapped>::type;
  using value_type = typename type::value_type;

  explicit own_awaiter(A&& a) : inner_(make(static_cast<A&&>(a))) {}
  type* operator->() noexcept { return &inner_; }
  type& operator*() noexcept { return inner_; }

  /// take() where nobody could catch what it throws (the moves of a value may; as_result throws what is no error): that
  /// becomes the outcome.
  void take_into(outcome<value_type>& to) noexcept {
#if ASTD_HAS_EXCEPTIONS
    try {
      to = inner_.take();
    } catch (...) {
      to.set_exception(std::current_exception());
    }
#else
    to = inner_.take();
#endif
  }

 private:
  static decltype(auto) make(A&& a) {
    if constexpr (own)
      return detail::get_awaiter(static_cast<A&&>(a));
    else
      return as_task<A>(static_cast<A&&>(a)).operator co_await();
  }
  // An awaiter that is an lvalue is referred to.
  std::conditional_t<own && std::is_lvalue_reference_v<awaiter_of<A>>, type&, type> inner_;
};

}  // namespace astd::detail
