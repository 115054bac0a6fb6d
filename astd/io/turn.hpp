// Internal: one after the other, in the order of their coming. What keeps the lines of concurrent tasks apart on the
// standard streams.
//
//   auto hold = co_await turn_.wait();   // until `hold` is destroyed it is ours
#pragma once

#include <astd/base/intrusive_list.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/coro/awaitable.hpp>

#include <string>
#include <utility>

namespace astd::io::detail {

/// Any thread. Constant-initialised, so that it may be a member of a static.
class turn {
 public:
  /// Passes the turn on when it is destroyed.
  class hold {
   public:
    explicit hold(turn& of) noexcept : of_(&of) {}
    hold(hold&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    hold& operator=(hold&&) = delete;
    ~hold() {
      if (of_) of_->pass_on();
    }

   private:
    turn* of_;
  };

  class waiter final : public astd::detail::suspension,
                       public astd::detail::awaiter_base<waiter>,
                       public astd::detail::list_node {
   public:
    using value_type = hold;
    explicit waiter(turn& of) noexcept : of_(of) {}
    ~waiter() = default;

    bool await_ready() noexcept { return of_.take_if_free(); }
    astd::detail::resumable* start(const astd::detail::await_context& c) noexcept;
    astd::detail::outcome<hold> take() noexcept {
      resumed();
      astd::detail::outcome<hold> mine;
      mine.set_value(of_);
      return mine;
    }
    void request_stop() noexcept override;
    void describe(std::string& out, unsigned) const override { out += "a turn on a standard stream"; }

   private:
    friend class turn;
    turn& of_;
    bool stopping_ = false;  // guarded by of_.lock_
  };

  class [[nodiscard]] awaitable {
   public:
    explicit awaitable(turn& of) noexcept : of_(of) {}
    waiter operator co_await() const noexcept { return waiter(of_); }

   private:
    turn& of_;
  };

  turn() = default;
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

  /// Gives a hold. Who is cancelled while it waits loses its place and nothing else.
  awaitable wait() noexcept { return awaitable(*this); }

 private:
  bool take_if_free() noexcept {
    astd::detail::spin_guard guard(lock_);
    return !std::exchange(taken_, true);
  }
  void pass_on() noexcept;

  astd::detail::spin_lock lock_;
  astd::detail::intrusive_list<waiter> waiting_;
  bool taken_ = false;  // with somebody waiting it stays true from hand to hand
};

}  // namespace astd::io::detail
