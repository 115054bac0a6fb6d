// What happens once: nobody has tried, somebody is at it, or it is done. What call_once, once_cell and lazy are built on.
#pragma once

#include <astd/coro/awaitable.hpp>
#include <astd/coro/outcome.hpp>
#include <astd/coro/task.hpp>
#include <astd/sync/owner.hpp>
#include <astd/sync/wait_on_thread.hpp>
#include <astd/sync/wait_queue.hpp>

#include <optional>
#include <string_view>
#include <utility>

namespace astd::detail {

class once_turn_awaiter;
class once_turn_awaitable;

class once {
 public:
  /// The right, and the duty, to do it. If it goes without done() having been called, the next one gets it.
  class turn {
   public:
    turn() noexcept = default;
    turn(turn&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    turn& operator=(turn&&) = delete;
    ~turn() {
      if (of_) of_->end(untouched);
    }
    explicit operator bool() const noexcept { return of_ != nullptr; }
    void done() noexcept { std::exchange(of_, nullptr)->end(is_done); }

   private:
    friend once;
    friend once_turn_awaiter;
    explicit turn(once& of) noexcept : of_(&of) {}
    once* of_ = nullptr;
  };

  explicit constexpr once(const char* name) noexcept : queue_(untouched, name) {}
  once(const once&) = delete;
  once& operator=(const once&) = delete;

  [[nodiscard]] bool done() const noexcept {
    // acquire: what was done in the turn.
    return (queue_.state().load(std::memory_order_acquire) & ~wait_queue::flags) == is_done;
  }
  /// The turn, or nothing if it has been done. `what`: for dumps, such as "call_once".
  [[nodiscard]] once_turn_awaitable begin(const char* what) noexcept;
  /// Nothing also if somebody is at it.
  [[nodiscard]] turn try_begin() noexcept;
  [[nodiscard]] const char* name() const noexcept { return queue_.name(); }
  /// For who knows that nobody else uses it: as if it had never been done.
  void reset() noexcept { queue_.state().store(untouched, std::memory_order_relaxed); }

 private:
  friend once_turn_awaiter;
  static constexpr wait_queue::word untouched = 0, running = wait_queue::one, is_done = 2 * wait_queue::one;
  void end(wait_queue::word state) noexcept;
  wait_queue queue_;
  owner owner_;
};

class once_turn_awaiter final : public waiter, public awaiter_base<once_turn_awaiter> {
 public:
  using value_type = once::turn;
  once_turn_awaiter(once& o, const char* what) noexcept : waiter(o.queue_), once_(o), what_(what) {}
  bool await_ready() noexcept;
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<once::turn> take() noexcept;

 private:
  bool admit(wait_queue::word& state) noexcept override;
  void describe(std::string& out, unsigned depth) const override;
  once& once_;
  const char* const what_;
  bool mine_ = false;
};

class once_turn_awaitable {
 public:
  once_turn_awaitable(once& o, const char* what) noexcept : once_(o), what_(what) {}
  auto operator co_await() const noexcept { return once_turn_awaiter(once_, what_); }

 private:
  once& once_;
  const char* what_;
};

inline once_turn_awaitable once::begin(const char* what) noexcept { return {*this, what}; }

/// Awaits the task that `Make` gives, unless it has been done: then there is no coroutine at all. `Make` has done(), task()
/// and value().
template <class Make>
class once_task_awaiter final : public awaiter_base<once_task_awaiter<Make>> {
  using inner = decltype(std::declval<Make&>().task().operator co_await());

 public:
  using value_type = decltype(std::declval<Make&>().value());
  explicit once_task_awaiter(Make make) : make_(std::move(make)) {}
  bool await_ready() const noexcept { return make_.done(); }
  resumable* start(const await_context& c) {
    inner_.emplace(make_);
    return inner_->awaiter.start(c);
  }
  outcome<value_type> take() {
    outcome<value_type> out;
    if (inner_) {
      auto ended = inner_->awaiter.take();
      inner_.reset();
      if (!ended.has_value()) {
        out.set_error_of(ended);
        return out;
      }
    }
    if constexpr (std::is_void_v<value_type>)
      out.set_value();
    else
      out.set_value(make_.value());
    return out;
  }

 private:
  struct started {
    explicit started(Make& make) : awaiter(make.task().operator co_await()) {}
    inner awaiter;
  };
  Make make_;
  std::optional<started> inner_;
};

template <class Make>
class once_task {
 public:
  explicit once_task(Make make) : make_(std::move(make)) {}
  auto operator co_await() && { return once_task_awaiter<Make>(std::move(make_)); }

 private:
  Make make_;
};

}  // namespace astd::detail
