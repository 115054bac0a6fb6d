// A body and what limits it: timeout, with_cancel. A race in which a value beats the limit.
#pragma once

#include <astd/coro/branch_pack.hpp>
#include <astd/coro/composite.hpp>

#include <system_error>
#include <utility>

namespace astd::detail {

/// Ends with the body's outcome; with `late` if the limit ended first and stopped the body.
template <class A, class L>
class limit_awaiter final : public composite, public awaiter_base<limit_awaiter<A, L>> {
 public:
  using value_type = typename branch<A>::value_type;
  limit_awaiter(const char* name, std::error_code late, L&& limit, A&& a)
      : composite(name), late_(late), body_(*this, static_cast<A&&>(a)), limit_(*this, std::move(limit)) {
    add(body_);
    add(limit_);
  }

  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept { return start_branches(c); }
  outcome<value_type> take() {
    resumed();
    if (!body_.stopped()) return std::move(body_.result());
    return outcome<value_type>(failure(late_));
  }

 private:
  resumable* branch_ended(branch_base& b) noexcept override {
    if (!b.stopped()) cancel_others(&b);
    return nullptr;
  }
  [[nodiscard]] bool has_outcome() const noexcept override { return !body_.stopped() || !limit_.stopped(); }

  const std::error_code late_;
  branch<A> body_;
  branch<L> limit_;
};

template <class A, class L>
class limit_awaitable {
 public:
  limit_awaitable(const char* name, std::error_code late, L limit, A&& a)
      : name_(name), late_(late), limit_(std::move(limit)), a_(static_cast<A&&>(a)) {}
  auto operator co_await() && { return limit_awaiter<A, L>(name_, late_, std::move(limit_), static_cast<A&&>(a_)); }

 private:
  const char* name_;
  std::error_code late_;
  L limit_;
  A a_;
};

}  // namespace astd::detail
