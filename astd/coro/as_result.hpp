// as_result(aw): the error as a value instead of an exception.
//
//   auto n = co_await as_result(stream.read(buffer));   // std::expected<std::size_t, std::error_code>
//   if (!n) ...n.error().message()...
#pragma once

#include <astd/coro/awaitable.hpp>
#include <astd/coro/own_awaiter.hpp>

#include <expected>
#include <system_error>

namespace astd {
namespace detail {

template <class A>
class as_result_awaiter : public awaiter_base<as_result_awaiter<A>> {
 public:
  using inner_type = own_awaiter<A>;
  using inner_value = typename inner_type::value_type;
  using result_type = std::expected<inner_value, std::error_code>;
  using value_type = result_type;
  static_assert(!std::is_reference_v<inner_value>,
                "as_result: std::expected cannot hold a reference; await it directly, or return a pointer");

  explicit as_result_awaiter(A&& a) : inner_(static_cast<A&&>(a)) {}
  bool await_ready() { return inner_->await_ready(); }
  resumable* start(const await_context& c) { return inner_->start(c); }
  result_type await_resume() {
    auto o = inner_->take();
    switch (o.what()) {
      case decltype(o)::kind::value: return std::move(o).template value_as<result_type>();
      case decltype(o)::kind::failed: return result_type(std::unexpect, o.error().code());
      case decltype(o)::kind::thrown: return result_type(std::unexpect, code_of(std::move(o.exception())));
      default: return result_type(std::unexpect, std::make_error_code(std::errc::operation_canceled));
    }
  }
  outcome<value_type> take() {
    outcome<value_type> o;
    o.set_value(await_resume());
    return o;
  }

 private:
  inner_type inner_;
};

template <class A>
class as_result_awaitable {
 public:
  explicit as_result_awaitable(A&& a) : a_(static_cast<A&&>(a)) {}
  auto operator co_await() && { return as_result_awaiter<A>(static_cast<A&&>(a_)); }

 private:
  A a_;
};

}  // namespace detail

/// Awaits `aw` and gives std::expected<T, std::error_code>: the value, or the code of the failure or std::system_error
/// it ended with. Any other exception is thrown as usual. Cancellation passes through: it is no error. An rvalue is
/// moved in, an lvalue is referred to. No allocation.
template <awaitable A>
[[nodiscard]] auto as_result(A&& aw) {
  return detail::as_result_awaitable<A>(static_cast<A&&>(aw));
}

}  // namespace astd
