// shield(aw): a stretch that is not to be interrupted. finally(body, cleanup): the destructor that can await.
//
//   co_await shield(commit(transaction));
//   auto r = co_await finally(use(connection), [&] { return connection.goodbye(); });
#pragma once

#include <astd/coro/branch_pack.hpp>
#include <astd/coro/composite.hpp>
#include <astd/coro/lost.hpp>
#include <astd/coro/ready.hpp>

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

template <class A>
class shield_awaiter final : public composite, public awaiter_base<shield_awaiter<A>> {
 public:
  using value_type = typename branch<A>::value_type;
  explicit shield_awaiter(A&& a) : composite("shield"), body_(*this, static_cast<A&&>(a)) { add(body_); }

  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept { return start_branches(c, stops::behind); }
  outcome<value_type> take() {
    resumed();
    return std::move(body_.result());
  }

 private:
  resumable* branch_ended(branch_base&) noexcept override { return nullptr; }
  [[nodiscard]] bool has_outcome() const noexcept override { return !body_.stopped(); }
  branch<A> body_;
};

template <class A, class F>
class finally_awaiter final : public composite, public awaiter_base<finally_awaiter<A, F>> {
  using cleanup_type = std::invoke_result_t<F&>;

 public:
  using value_type = typename branch<A>::value_type;
  finally_awaiter(A&& a, F&& cleanup)
      : composite("finally"), body_(*this, static_cast<A&&>(a)), make_cleanup_(static_cast<F&&>(cleanup)) {
    add(body_);
  }

  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept { return start_branches(c, stops::branches); }
  outcome<value_type> take() {
    resumed();
    if (cleanup_ && cleanup_->failed() && !body_.failed()) {
      outcome<value_type> bad;
      bad.set_error_of(cleanup_->result());
      return bad;
    }
    if (cleanup_ && cleanup_->failed()) report_lost(cleanup_->result(), "a cleanup");
    return std::move(body_.result());
  }

 private:
  resumable* branch_ended(branch_base& b) noexcept override {
    if (&b == &body_) return start_cleanup();
    if (body_.stopped() && b.failed()) report_lost(cleanup_->result(), "a cleanup");
    return nullptr;
  }
  resumable* start_cleanup() noexcept {
    set_current_chain(in());
#if ASTD_HAS_EXCEPTIONS
    try {
#endif
      made_.emplace(make_cleanup_());
      cleanup_.emplace(*this, static_cast<cleanup_type&&>(*made_));
#if ASTD_HAS_EXCEPTIONS
    } catch (...) {
      if (body_.stopped() || body_.failed())
        report_lost(std::current_exception(), "a cleanup");
      else
        body_.result().reset(), body_.result().set_exception(std::current_exception());
      return nullptr;
    }
#endif
    return start_late(*cleanup_);
  }
  [[nodiscard]] bool has_outcome() const noexcept override { return !body_.stopped(); }

  branch<A> body_;
  std::decay_t<F> make_cleanup_;
  std::optional<cleanup_type> made_;  // its awaiter may refer to it
  std::optional<branch<cleanup_type>> cleanup_;
};

template <class A>
class shield_awaitable {
 public:
  explicit shield_awaitable(A&& a) : a_(static_cast<A&&>(a)) {}
  auto operator co_await() && { return shield_awaiter<A>(static_cast<A&&>(a_)); }

 private:
  A a_;
};

template <class A, class F>
class finally_awaitable {
 public:
  finally_awaitable(A&& a, F&& f) : a_(static_cast<A&&>(a)), f_(static_cast<F&&>(f)) {}
  auto operator co_await() && { return finally_awaiter<A, F>(static_cast<A&&>(a_), static_cast<F&&>(f_)); }

 private:
  A a_;
  F f_;
};

/// A cleanup that has nothing to await.
template <class F>
struct plain_cleanup {
  auto operator()() {
    f();
    return ready();
  }
  F f;
};

}  // namespace detail

/// Awaits `aw` and lets no request to stop reach it. A request that came meanwhile takes effect at the first suspension
/// after it: the value is delivered first. Runs even if a stop was requested before. Whoever cancels waits for it, so
/// keep it short, or give it a timeout of its own inside.
template <awaitable A>
[[nodiscard]] auto shield(A&& aw) {
  return detail::shield_awaitable<A>(static_cast<A&&>(aw));
}

/// Awaits `body`, then calls `cleanup` and awaits what it returns, if that can be awaited, shielded, however the body ended: with a value, a
/// failure, an exception, or stopped. Then gives the body's outcome. A failure of the cleanup is thrown if the body had
/// none; else it goes to the handler of lost exceptions. If a stop was requested before, the body does not run but the
/// cleanup does: what it is to clean up was there before. `cleanup` is moved in, or copied if it is an lvalue; what it
/// refers to outlives the await. Takes no allocation.
template <awaitable A, std::invocable F>
[[nodiscard]] auto finally(A&& body, F&& cleanup) {
  if constexpr (awaitable<std::invoke_result_t<F&>>) {
    return detail::finally_awaitable<A, F>(static_cast<A&&>(body), static_cast<F&&>(cleanup));
  } else {
    using plain = detail::plain_cleanup<std::decay_t<F>>;
    return detail::finally_awaitable<A, plain>(static_cast<A&&>(body), plain{static_cast<F&&>(cleanup)});
  }
}

}  // namespace astd
