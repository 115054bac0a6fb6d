// Internal: what most often need not wait. It is tried where it is awaited, without a frame, an allocation or a
// suspension; only if that was in vain a coroutine is made that waits.
//
//   struct op {
//     using value_type = std::size_t;
//     bool now(outcome<std::size_t>& to);      // tries; true: done, with this outcome. May throw
//     task<std::size_t> later();               // waits as long as it takes
//   };
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/coro/outcome.hpp>
#include <astd/coro/task.hpp>
#include <astd/runtime/sleep.hpp>
#include <astd/runtime/slice.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace astd::io::detail {

// A task that finds everything ready for ever lets the others run all the same, and sees that it was asked to stop.
template <class Op>
task<typename Op::value_type> after_a_yield(Op op) {
  co_await astd::detail::yield_awaitable();
  astd::detail::outcome<typename Op::value_type> got;
  if (!op.now(got)) {
    if constexpr (std::is_void_v<typename Op::value_type>) {
      co_await or_return(op.later());
      co_return;
    } else {
      co_return co_await or_return(op.later());
    }
  }
  if (got.what() == decltype(got)::kind::failed) co_await fail(std::move(got.error()));
  if constexpr (std::is_void_v<typename Op::value_type>)
    co_return;
  else
    co_return std::move(got).get();
}

template <class Op>
class attempt_awaiter : public astd::detail::awaiter_base<attempt_awaiter<Op>> {
 public:
  using value_type = typename Op::value_type;
  explicit attempt_awaiter(const Op& op) : op_(op) {}

  bool await_ready() {
    if (!astd::detail::spend_slice()) [[unlikely]] {
      out_of_time_ = true;
      return false;
    }
    return op_.now(result_);
  }
  astd::detail::resumable* start(const astd::detail::await_context& c) {
    later_.emplace((out_of_time_ ? after_a_yield(op_) : op_.later()).operator co_await());
    static_cast<void>(later_->await_ready());
    return later_->start(c);
  }
  astd::detail::outcome<value_type> take() { return later_ ? later_->take() : std::move(result_); }

 private:
  Op op_;
  bool out_of_time_ = false;
  astd::detail::outcome<value_type> result_;
  std::optional<astd::detail::task_awaiter<value_type>> later_;
};

/// Holds what the operation was called with until co_await makes the awaiter.
template <class Op>
class [[nodiscard("it does nothing until it is awaited")]] attempt {
 public:
  template <class... Args>
  explicit attempt(std::in_place_t, Args&&... args) : op_(std::forward<Args>(args)...) {}
  attempt_awaiter<Op> operator co_await() const { return attempt_awaiter<Op>(op_); }

 private:
  Op op_;
};

}  // namespace astd::io::detail
