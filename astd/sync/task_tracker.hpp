// task_tracker: counts tasks that run by themselves, so that their end can be waited for.
//
//   astd::task_tracker connections;
//   while (serving) connections.spawn(serve(co_await listener.accept())).detach();
//   connections.close();
//   co_await connections.wait();
//
// Unlike task_group it keeps nothing of a task but the count, and neither cancels nor scopes them: give them a
// cancel_token for that.
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/sync/wait_queue.hpp>

#include <cstddef>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

class tracker_state {
 public:
  using word = wait_queue::word;
  static constexpr word closed = wait_queue::one, task = 2 * wait_queue::one;
  [[nodiscard]] static bool is_over(word state) noexcept { return (state & ~wait_queue::flags) == closed; }

  template <class F>
  void change(F f) noexcept {
    word seen = queue_.state().load(std::memory_order_relaxed);
    while (!(seen & wait_queue::flags))
      // acq_rel: who waits sees what the tasks did.
      if (queue_.state().compare_exchange_weak(seen, f(seen), std::memory_order_acq_rel, std::memory_order_relaxed))
        return;
    queue_.update(f);
  }
  [[nodiscard]] word now() const noexcept { return queue_.state().load(std::memory_order_acquire); }
  [[nodiscard]] wait_queue& queue() noexcept { return queue_; }

 private:
  wait_queue queue_;
};

class tracker_awaiter final : public waiter, public awaiter_base<tracker_awaiter> {
 public:
  using value_type = void;
  explicit tracker_awaiter(std::shared_ptr<tracker_state> of) noexcept : waiter(of->queue()), of_(std::move(of)) {}
  bool await_ready() const noexcept { return tracker_state::is_over(of_->now()); }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<void> take() noexcept {
    resumed();
    outcome<void> o;
    o.set_value();
    return o;
  }
  void describe(std::string& out, unsigned) const override {
    out += "wait of a task_tracker with " + std::to_string(of_->now() / tracker_state::task) + " tasks";
  }

 private:
  bool admit(wait_queue::word& state) noexcept override { return tracker_state::is_over(state); }
  const std::shared_ptr<tracker_state> of_;
};

class tracker_awaitable {
 public:
  explicit tracker_awaitable(std::shared_ptr<tracker_state> of) noexcept : of_(std::move(of)) {}
  auto operator co_await() const noexcept { return tracker_awaiter(of_); }

 private:
  std::shared_ptr<tracker_state> of_;
};

}  // namespace detail

/// Copies are the same tracker; the tasks keep it alive. All members may be called on any thread.
class task_tracker {
 public:
  /// Counts as a task for as long as it lives: for what is not spawned through the tracker.
  class [[nodiscard]] token {
   public:
    token(const token& other) noexcept : token(other.state_) {}
    token(token&&) noexcept = default;
    token& operator=(token other) noexcept {
      state_.swap(other.state_);
      return *this;
    }
    ~token() {
      if (state_)
        state_->change([](detail::tracker_state::word w) noexcept { return w - detail::tracker_state::task; });
    }

   private:
    friend task_tracker;
    explicit token(std::shared_ptr<detail::tracker_state> state) noexcept : state_(std::move(state)) {
      if (state_)
        state_->change([](detail::tracker_state::word w) noexcept { return w + detail::tracker_state::task; });
    }
    std::shared_ptr<detail::tracker_state> state_;
  };

  task_tracker() : state_(std::make_shared<detail::tracker_state>()) {}

  /// As astd::spawn. The task counts until its frame is gone, however it ends. Also after close().
  template <class T>
  join_handle<T> spawn(task<T> t, std::source_location where = std::source_location::current()) const {
    return astd::spawn(counted<T>(track(), std::move(t)), where);
  }
  template <class F, class... A>
    requires detail::task_callable<F, A...>
  auto spawn(F&& f, A&&... arguments) const {
    return spawn(detail::make_task(std::forward<F>(f), std::forward<A>(arguments)...));
  }
  /// One more that counts.
  token track() const noexcept { return token(state_); }

  /// From now on wait() ends when no task is left. False: it was closed before.
  bool close() const noexcept { return change_closed(detail::tracker_state::closed); }
  /// Takes that back, for who waits from now on. False: it was open.
  bool reopen() const noexcept { return change_closed(0); }
  [[nodiscard]] bool is_closed() const noexcept { return state_->now() & detail::tracker_state::closed; }

  /// Tasks that have not ended. A moment later it may be another number.
  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(state_->now() / detail::tracker_state::task);
  }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

  /// Waits until the tracker is closed and no task is left. A moment at which that was so is enough: who waited then goes
  /// on, whatever is spawned or reopened afterwards. Any number may wait. Cancelling it changes nothing.
  [[nodiscard]] auto wait() const noexcept { return detail::tracker_awaitable(state_); }

  friend bool operator==(const task_tracker& a, const task_tracker& b) noexcept { return a.state_ == b.state_; }

 private:
  // The parameters are destroyed behind all else, the count last.
  template <class T>
  static task<T> counted(token, task<T> body) {
    if constexpr (std::is_void_v<T>) {
      co_await or_return(std::move(body));
    } else {
      auto&& value = co_await or_return(std::move(body));
      co_return std::forward<decltype(value)>(value);
    }
  }
  bool change_closed(detail::tracker_state::word to) const noexcept {
    bool changed = false;
    state_->change([&changed, to](detail::tracker_state::word w) noexcept {
      changed = (w & detail::tracker_state::closed) != to;
      return (w & ~detail::tracker_state::closed) | to;
    });
    return changed;
  }

  std::shared_ptr<detail::tracker_state> state_;
};

}  // namespace astd
