// or_return(aw): the value, or this coroutine ends with the error. Rust's `?`, without a macro and without a throw.
//
//   astd::task<std::size_t> first_read(astd::net::tcp_stream& s, std::span<char> buffer) {
//     auto n = co_await or_return(s.read(buffer));   // an error ends first_read with that error
//     co_return n;
//   }
//
// The coroutine's frame is destroyed as if it had returned, and its awaiter sees the error as an exception, a value or
// by or_return again, as it likes. fail(code) ends the coroutine the same way with an error of its own.
#pragma once

#include <astd/coro/awaitable.hpp>
#include <astd/coro/own_awaiter.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

template <class P>
concept ends_with_failure =
    std::derived_from<P, promise_base> && requires(P& p, failure f) { p.set_failure(std::move(f)); };

template <class A>
class or_return_awaiter : public awaiter_tag {
 public:
  using inner_type = own_awaiter<A>;

  explicit or_return_awaiter(A&& a) : inner_(static_cast<A&&>(a)) {}
  or_return_awaiter(or_return_awaiter&&) = delete;

  bool await_ready() {
    if (!inner_->await_ready()) return false;
    result_ = inner_->take();
    return result_.what() != kind::failed;
  }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> awaiting) {
    static_assert(ends_with_failure<P>,
                  "or_return ends the awaiting coroutine: it works in a task only; elsewhere use as_result");
    if (result_.what() == kind::failed) return transfer(give_up<P>(awaiting.address()));
    gate_.second_ = awaiting.address();
    gate_.set_resume(&arrived<P>);
    gate_.self = this;
    promise_base& promise = awaiting.promise();
    return transfer(inner_->start({&gate_, &promise.in(), &promise}));
  }
  decltype(auto) await_resume() { return std::move(result_).get(); }

 private:
  using result_type = outcome<typename inner_type::value_type>;
  using kind = typename result_type::kind;
  // Stands between the operation and the coroutine, so that a failure need not resume it.
  struct gate : resumable {
    or_return_awaiter* self = nullptr;
  };

  template <class P>
  resumable* give_up(void* frame) noexcept {
    auto awaiting = std::coroutine_handle<P>::from_address(frame);
    awaiting.promise().set_failure(std::move(result_.error()));
    return awaiting.promise().continuation();
  }
  template <class P>
  static void arrived(resumable* r) {
    or_return_awaiter* const self = static_cast<gate*>(r)->self;
    // This also ends the awaited coroutine's frame: a long chain of these is torn down one by one.
    self->inner_.take_into(self->result_);
    resumable* const next = self->result_.what() == kind::failed ? self->template give_up<P>(r->second_)
                                                                 : static_cast<resumable*>(r->second_);
    ASTD_TRANSFER_TO(next);
  }

  inner_type inner_;
  result_type result_;
  gate gate_;
};

template <class A>
class or_return_awaitable {
 public:
  explicit or_return_awaitable(A&& a) : a_(static_cast<A&&>(a)) {}
  auto operator co_await() && { return or_return_awaiter<A>(static_cast<A&&>(a_)); }

 private:
  A a_;
};

/// What fail() awaits: never resumes the coroutine.
class fail_awaiter : public awaiter_tag {
 public:
  explicit fail_awaiter(failure f) noexcept : failure_(std::move(f)) {}
  bool await_ready() const noexcept { return false; }
  template <ends_with_failure P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> awaiting) noexcept {
    awaiting.promise().set_failure(std::move(failure_));
    return transfer(awaiting.promise().continuation());
  }
  [[noreturn]] void await_resume() const noexcept { std::terminate(); }

 private:
  failure failure_;
};

}  // namespace detail

/// Awaits `aw` and gives its value; a failure ends the awaiting task with that failure (locals are destroyed, no
/// `catch` sees it), an exception is thrown on. Cancellation passes through. Only in a task, and not as a branch of
/// join and the like. An rvalue is moved in, an lvalue is referred to. No allocation.
template <awaitable A>
[[nodiscard]] auto or_return(A&& aw) {
  return detail::or_return_awaitable<A>(static_cast<A&&>(aw));
}

/// `co_await fail(code)`: ends the awaiting task with this failure, without an exception, and never returns. With a
/// subject: `co_await fail({code, "open", path})`. Only in a task.
[[nodiscard]] inline auto fail(failure f) noexcept { return detail::fail_awaiter(std::move(f)); }

}  // namespace astd
