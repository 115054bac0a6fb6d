// Between astd's cancel tokens and std's stop tokens, both ways. In a header of its own, since <stop_token> is heavy.
//
//   std::jthread old_code([&](std::stop_token stop) {
//     astd::cancel_on_stop link(stop);
//     astd::block_on(astd::with_cancel(link.token(), new_code()));
//   });
//
//   astd::stop_on_cancel link(token);
//   old_code(link.get_token());
#pragma once

#include <astd/sync/with_cancel.hpp>

#include <stop_token>
#include <system_error>
#include <utility>

namespace astd {

/// Its token is cancelled when `from` is asked to stop; at once if it was. As long as it lives.
class cancel_on_stop {
 public:
  explicit cancel_on_stop(const std::stop_token& from) : link_(from, request{source_}) {}
  cancel_on_stop(const cancel_on_stop&) = delete;
  cancel_on_stop& operator=(const cancel_on_stop&) = delete;
  [[nodiscard]] cancel_token token() const noexcept { return source_.token(); }

 private:
  struct request {
    cancel_source source;
    void operator()() const noexcept { source.request_cancel(); }
  };
  cancel_source source_;
  std::stop_callback<request> link_;
};

/// Its std::stop_token is asked to stop when `from` is cancelled; at once if it was. As long as it lives.
class stop_on_cancel {
 public:
  explicit stop_on_cancel(const cancel_token& from) : link_(from, request{source_}) {}
  stop_on_cancel(const stop_on_cancel&) = delete;
  stop_on_cancel& operator=(const stop_on_cancel&) = delete;
  [[nodiscard]] std::stop_token get_token() const noexcept { return source_.get_token(); }

 private:
  struct request {
    std::stop_source source;
    void operator()() const noexcept { source.request_stop(); }
  };
  std::stop_source source_;
  cancel_callback<request> link_;
};

namespace detail {

class stop_awaiter final : public awaiter_base<stop_awaiter> {
 public:
  using value_type = void;
  explicit stop_awaiter(const std::stop_token& token)
      : link_(token), waiting_(link_.token().cancelled().operator co_await()) {}
  bool await_ready() const noexcept { return waiting_.await_ready(); }
  resumable* start(const await_context& c) noexcept { return waiting_.start(c); }
  outcome<void> take() noexcept { return waiting_.take(); }

 private:
  cancel_on_stop link_;
  cancelled_awaiter waiting_;
};

class stop_awaitable {
 public:
  explicit stop_awaitable(std::stop_token token) noexcept : token_(std::move(token)) {}
  auto operator co_await() const { return stop_awaiter(token_); }

 private:
  std::stop_token token_;
};

}  // namespace detail

/// with_cancel() with a token of std's. Allocates once when it is awaited.
template <awaitable A>
[[nodiscard]] auto with_cancel(std::stop_token token, A&& aw) {
  return detail::limit_awaitable<A, detail::stop_awaitable>(
      "with_cancel", std::make_error_code(std::errc::operation_canceled), detail::stop_awaitable(std::move(token)),
      static_cast<A&&>(aw));
}

}  // namespace astd
