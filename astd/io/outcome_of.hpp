// Internal: as_result() that keeps what the failure names, for who has to tidy up before it passes it on.
//
//   auto got = co_await outcome_of(to.write(bytes));
//   if (!got.has_value()) { ...; co_await pass_on(got) }
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/coro/own_awaiter.hpp>

#include <utility>

namespace astd::io::detail {

template <class A>
class outcome_awaiter : public astd::detail::awaiter_base<outcome_awaiter<A>> {
 public:
  using inner_type = astd::detail::own_awaiter<A>;
  using value_type = astd::detail::outcome<typename inner_type::value_type>;
  explicit outcome_awaiter(A&& a) : inner_(static_cast<A&&>(a)) {}
  bool await_ready() { return inner_->await_ready(); }
  astd::detail::resumable* start(const astd::detail::await_context& c) { return inner_->start(c); }
  value_type await_resume() {
    value_type o;
    inner_.take_into(o);
    return o;
  }
  astd::detail::outcome<value_type> take() {
    astd::detail::outcome<value_type> o;
    o.set_value(await_resume());
    return o;
  }

 private:
  inner_type inner_;
};

template <class A>
class outcome_awaitable {
 public:
  explicit outcome_awaitable(A&& a) : a_(static_cast<A&&>(a)) {}
  auto operator co_await() && { return outcome_awaiter<A>(static_cast<A&&>(a_)); }

 private:
  A a_;
};

/// Gives the outcome itself, whatever it is. Awaited where it is made.
template <awaitable A>
[[nodiscard]] auto outcome_of(A&& aw) {
  return outcome_awaitable<A>(static_cast<A&&>(aw));
}

/// Ends the awaiting task with the failure or the exception of `o`.
template <class T>
task<> pass_on(astd::detail::outcome<T>& o) {
  if (o.what() == astd::detail::outcome<T>::kind::failed) co_await fail(std::move(o.error()));
  static_cast<void>(std::move(o).get());
}

}  // namespace astd::io::detail
