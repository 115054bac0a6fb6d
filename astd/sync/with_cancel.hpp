// with_cancel(token, aw): the value, or std::errc::operation_canceled.
//
//   auto line = co_await as_result(with_cancel(stop, read_line(stream)));
#pragma once

#include <astd/coro/limit.hpp>
#include <astd/sync/cancel_token.hpp>

#include <system_error>

namespace astd {

/// Awaits `aw` until `token` is cancelled. Then `aw` is cancelled, and has ended when with_cancel throws (or gives)
/// std::errc::operation_canceled. A value that exists beats the request: what is ready at once is given even if the token
/// is cancelled already. A token without a source limits nothing. Cancelling it cancels `aw`. An rvalue is moved in, an
/// lvalue is referred to. Takes no allocation.
template <awaitable A>
[[nodiscard]] auto with_cancel(const cancel_token& token, A&& aw) {
  return detail::limit_awaitable<A, detail::cancelled_awaitable>(
      "with_cancel", std::make_error_code(std::errc::operation_canceled), token.cancelled(), static_cast<A&&>(aw));
}

}  // namespace astd
