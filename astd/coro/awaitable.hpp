// What can be awaited, and how astd's own awaiters differ from others.
//
// Anything with an awaiter in the sense of the language can be awaited in a task. astd's own awaiters can do more:
// they know the chain they are awaited in (so they can be cancelled), can be started with any continuation (so that
// race, timeout and the like need no coroutine around each branch), and give their outcome without throwing:
//
//   typename W::value_type
//   bool await_ready()                        true: take() at once
//   resumable* start(const await_context&)    starts it; what to go on with, or null: suspended
//   outcome<value_type> take()                after it has ended
//
// A coroutine that is not astd's may await all of them as well; it then has no scope to cancel.
#pragma once

#include <astd/coro/promise.hpp>

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace astd {

template <class T>
class task;

namespace detail {

struct awaiter_tag {};

template <class A>
inline constexpr bool is_named_task = false;
template <class T>
inline constexpr bool is_named_task<task<T>&> = true;
template <class T>
inline constexpr bool is_named_task<const task<T>&> = true;

/// A task is awaited once, and given up by that. Said first, so that it is what the compiler says of a named one: its
/// own lookup would only complain of a missing await_ready.
template <class A>
concept task_given_by_std_move = !is_named_task<A>;

template <class A>
concept has_member_co_await = requires(A&& a) { static_cast<A&&>(a).operator co_await(); };
template <class A>
concept has_free_co_await = requires(A&& a) { operator co_await(static_cast<A&&>(a)); };

template <class A>
decltype(auto) get_awaiter(A&& a) {
  if constexpr (has_member_co_await<A>)
    return static_cast<A&&>(a).operator co_await();
  else if constexpr (has_free_co_await<A>)
    return operator co_await(static_cast<A&&>(a));
  else
    return static_cast<A&&>(a);
}

template <class A>
using awaiter_of = decltype(detail::get_awaiter(std::declval<A>()));

template <class W>
concept awaiter = requires(std::remove_reference_t<W>& w) {
  w.await_ready() ? 1 : 0;
  w.await_resume();
};

}  // namespace detail

/// Whatever can stand behind co_await in a task.
template <class A>
concept awaitable = detail::task_given_by_std_move<A> && requires { typename detail::awaiter_of<A>; } &&
                    detail::awaiter<detail::awaiter_of<A>>;

/// What co_await gives for an A.
template <awaitable A>
using await_result_t = decltype(std::declval<std::remove_reference_t<detail::awaiter_of<A>>&>().await_resume());

namespace detail {

template <class A>
concept own_awaitable = awaitable<A> && std::derived_from<std::remove_cvref_t<awaiter_of<A>>, awaiter_tag>;

/// Those that can be started with any continuation; or_return cannot: it ends the coroutine it stands in.
template <class A>
concept startable = own_awaitable<A> && requires { typename std::remove_cvref_t<awaiter_of<A>>::value_type; };

/// Stands for the chain when a coroutine that is not astd's awaits one of our awaiters.
class foreign_chain {
 public:
  foreign_chain(std::coroutine_handle<> awaiting) noexcept
      : chain_(&ended, default_executor(), false), awaiting_(awaiting) {}
  static void* operator new(std::size_t size);
  static void operator delete(void* p, std::size_t size) noexcept;

  [[nodiscard]] await_context context() noexcept { return {&chain_.end(), &chain_, nullptr, false}; }
  /// Runs `first` and says whether the awaiting coroutine is to stay suspended. Deletes this, now or later.
  bool start(resumable* first) noexcept;

 private:
  static void ended(resumable* r);
  chain chain_;
  std::coroutine_handle<> awaiting_;
  std::atomic<bool> one_side_done_{false};
};

/// What the language asks of an awaiter, made from what astd's own have.
template <class Derived>
class awaiter_base : public awaiter_tag {
 public:
  template <std::derived_from<promise_base> P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> awaiting) {
    promise_base& promise = awaiting.promise();
    return transfer(self().start({as_resumable(awaiting), &promise.in(), &promise}));
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiting) {
    auto* stand_in = new foreign_chain(awaiting);
    return stand_in->start(self().start(stand_in->context()));
  }
  decltype(auto) await_resume() { return self().take().get(); }

 private:
  Derived& self() noexcept { return static_cast<Derived&>(*this); }
};

}  // namespace detail
}  // namespace astd
