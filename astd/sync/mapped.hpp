// An awaitable whose value is made into something else, with nothing added to the wait.
#pragma once

#include <astd/coro/own_awaiter.hpp>

#include <type_traits>
#include <utility>

namespace astd::detail {

template <class F, class T>
struct mapped_value {
  using type = std::invoke_result_t<F&, T>;
};
template <class F>
struct mapped_value<F, void> {
  using type = std::invoke_result_t<F&>;
};

template <class A, class F>
class mapped_awaiter final : public awaiter_base<mapped_awaiter<A, F>> {
 public:
  using value_type = typename mapped_value<F, typename own_awaiter<A>::value_type>::type;
  mapped_awaiter(A&& a, F f) : inner_(static_cast<A&&>(a)), make_(std::move(f)) {}

  bool await_ready() { return inner_->await_ready(); }
  resumable* start(const await_context& c) { return inner_->start(c); }
  outcome<value_type> take() {
    auto from = inner_->take();
    outcome<value_type> out;
    if (!from.has_value()) {
      out.set_error_of(from);
    } else if constexpr (std::is_void_v<value_type>) {
      make_(std::move(from).get());
      out.set_value();
    } else if constexpr (std::is_void_v<typename own_awaiter<A>::value_type>) {
      out.set_value(make_());
    } else {
      out.set_value(make_(std::move(from).get()));
    }
    return out;
  }

 private:
  own_awaiter<A> inner_;
  F make_;
};

/// The awaiter of `a`, with `f` of its value.
template <class A, class F>
auto map_awaiter(A a, F f) {
  return mapped_awaiter<A, F>(std::move(a), std::move(f));
}

template <class A, class F>
class mapped {
 public:
  mapped(A a, F f) : a_(std::move(a)), make_(std::move(f)) {}
  auto operator co_await() && { return mapped_awaiter<A, F>(std::move(a_), std::move(make_)); }

 private:
  A a_;
  F make_;
};

}  // namespace astd::detail
