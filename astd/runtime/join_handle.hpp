// join_handle<T>: a spawned task from outside. Await it for the result, ask the task to stop, or let it go.
//
//   auto h = astd::spawn(fetch(url));
//   ...
//   page p = co_await h;
//
// Dropping the handle detaches the task: it runs on, as a std::thread after detach().
#pragma once

#include <astd/base/assert.hpp>
#include <astd/base/construct.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/coro/lost.hpp>
#include <astd/coro/task.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace astd {

template <class T>
class join_handle;

/// Names a task for ever: ids begin at 1 and are never used again.
using task_id = std::uint64_t;

namespace detail {

// task_header::join: the states below, or the address of the one who waits. join_refused: it runs, and the one who is
// about to wait is to stop instead.
inline constexpr std::uintptr_t join_running = 0, join_done = 1, join_detached = 2, join_refused = 3;
// It is what block_on runs: there is no handle.
inline constexpr std::uintptr_t join_in_block_on = 4;

/// If the task lies on top of this thread's own queue, and `c` goes on here, takes it out: the caller is to run it. See
/// settle.hpp.
bool take_to_call(task_header& t, const await_context& c) noexcept;

/// Waits for a task to end.
class join_waiter : public suspension {
 public:
  void request_stop() noexcept final;
  void describe(std::string& out, unsigned depth) const final;
  /// By the task, when it has ended: what to go on with, or null.
  [[nodiscard]] resumable* task_ended() noexcept { return finish(false); }
  [[nodiscard]] executor& waits_on() const noexcept { return in()->on(); }
  [[nodiscard]] chain& waits_in() const noexcept { return *in(); }
  /// See settle.hpp: the task, which runs on this thread, is about to suspend after all.
  void publish_late() noexcept;
  /// By a task that has ended and was fresh to its end.
  [[nodiscard]] resumable* ended_fresh() noexcept { return go_on(); }
  /// Who waits for a fresh task that is_joined_here.
  static join_waiter& of_fresh(task_header& t) noexcept {
    // relaxed: this thread wrote it, and nobody else has touched it.
    return *reinterpret_cast<join_waiter*>(t.join.load(std::memory_order_relaxed));
  }
  /// Whether the task was stopped. Once it has ended.
  [[nodiscard]] bool was_stopped() const noexcept { return task_->root.stopped(); }

 protected:
  explicit join_waiter(task_header* task) noexcept : task_(task) {}
  ~join_waiter() = default;
  [[nodiscard]] bool ended() const noexcept { return task_->join.load(std::memory_order_acquire) == join_done; }
  [[nodiscard]] resumable* wait(const await_context& c) noexcept;
  task_header* task_;

 private:
  [[nodiscard]] resumable* enter_task() noexcept;
};

std::string_view name_of_task(const task_header& t) noexcept;
/// Whether it is what a block_on runs.
bool is_block_on(const task_header& t) noexcept;
void free_extras(task_header& t) noexcept;
/// What joining a cancelled task gives.
failure cancelled_failure(const task_header& t) noexcept;

/// "task 'reader'", or "task 7" if it has no name.
std::string title_of_task(const task_header& t);
/// The same, or "a task" if there is no memory.
std::string some_title_of_task(const task_header& t) noexcept;

/// Whether a failure of the task is lost when nobody takes its result: not if its group has it.
bool fails_alone(const task_header& t) noexcept;

template <class T>
void report_lost_by(const task_header& t, outcome<T>& o) noexcept {
  if (o.failed() && fails_alone(t)) report_lost(o, some_title_of_task(t));
}

/// Whether the task, which has ended with a value, belongs to a group that keeps it for next().
bool give_to_group(task_header& t) noexcept;

/// Frees what is left of a task that has ended; `t` is gone afterwards.
template <class T>
void free_task(spawned_task<T>* t) noexcept {
  void* const frame = frame_of(*t);
  const std::uint64_t size = tag_of(frame) & ~spawned_tag;
  free_extras(*t);
  detail::destroy(*t);
  task_promise_base<T>::free_block(frame, size);
}

/// Gives up the right to the result.
template <class T>
void drop_task(spawned_task<T>* t) noexcept {
  // acq_rel: either the task sees that nobody waits, or we see all it did.
  if (t->join.exchange(join_detached, std::memory_order_acq_rel) != join_done) return;
  if (give_to_group(*t)) return;
  report_lost_by(*t, t->result);
  free_task(t);
}

template <class T>
class join_awaiter_of final : public join_waiter, public awaiter_base<join_awaiter_of<T>> {
 public:
  using value_type = T;
  explicit join_awaiter_of(join_handle<T>& handle) noexcept;

  bool await_ready() const noexcept { return ended(); }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<T> take() {
    resumed();
    outcome<T> o = task_->root.stopped() ? outcome<T>(cancelled_failure(*task_)) : std::move(task().result);
    release();
    return o;
  }
  T await_resume() {
    if (task_->root.stopped()) throw_cancelled();
    // The usual case without a detour over an outcome.
    if (task().result.has_value()) [[likely]] {
      resumed();
      const releaser at_end{*this};
      return std::move(task().result).get();
    }
    return take().get();
  }
  /// Instead of take().
  void discard() noexcept {
    resumed();
    release();
  }

 private:
  struct releaser {
    join_awaiter_of& self;
    ~releaser() { self.release(); }
  };
  spawned_task<T>& task() noexcept { return *static_cast<spawned_task<T>*>(task_); }
  void release() noexcept;
  [[noreturn]] void throw_cancelled();
  join_handle<T>& handle_;
};

template <class T>
class cancel_awaitable;

}  // namespace detail

/// Move-only; its destructor detaches. Any thread may use it, one at a time.
template <class T = void>
class [[nodiscard("dropping a join_handle detaches the task: say .detach() if that is meant")]] join_handle {
 public:
  using value_type = T;
  join_handle() noexcept = default;
  join_handle(join_handle&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
  join_handle& operator=(join_handle&& other) noexcept {
    if (this != &other) {
      detach();
      task_ = std::exchange(other.task_, nullptr);
    }
    return *this;
  }
  ~join_handle() { detach(); }

  /// False when moved from, detached, or its result was taken.
  explicit operator bool() const noexcept { return task_ != nullptr; }

  /// Waits for the end and gives the value; throws the task's exception or failure, or task_cancelled if it was
  /// cancelled. The handle is empty afterwards. Cancelling the await leaves the task alone and the handle whole.
  auto operator co_await() & noexcept { return detail::join_awaiter_of<T>(*this); }
  auto operator co_await() && noexcept { return detail::join_awaiter_of<T>(*this); }

  /// Asks the task to stop; does not wait. Any thread.
  void request_cancel() noexcept {
    if (task_) task_->root.request_cancel();
  }
  /// Asks the task to stop and waits until it has ended, its destructors included. Gives the value if it had one already,
  /// else an empty optional (of std::monostate for void). Throws the task's exception if it ended with one.
  [[nodiscard]] auto cancel() noexcept { return detail::cancel_awaitable<T>(*this); }
  /// Lets the task go on without us. An exception it ends with goes to the handler of lost exceptions.
  void detach() noexcept {
    if (task_) detail::drop_task(std::exchange(task_, nullptr));
  }

  [[nodiscard]] bool is_finished() const noexcept {
    return !task_ || task_->join.load(std::memory_order_acquire) == detail::join_done;
  }
  /// 0 if the handle is empty.
  [[nodiscard]] task_id id() const noexcept { return task_ ? task_->id : 0; }
  /// Empty if it has none. Valid as long as the handle.
  [[nodiscard]] std::string_view name() const noexcept {
    return task_ ? detail::name_of_task(*task_) : std::string_view();
  }

 private:
  template <class>
  friend class detail::join_awaiter_of;
  explicit join_handle(detail::spawned_task<T>* task) noexcept : task_(task) {}

  detail::spawned_task<T>* task_ = nullptr;

 public:
  /// For spawn.
  static join_handle of(detail::spawned_task<T>* task) noexcept { return join_handle(task); }
};

namespace detail {

template <class T>
join_awaiter_of<T>::join_awaiter_of(join_handle<T>& handle) noexcept : join_waiter(handle.task_), handle_(handle) {
  ASTD_ASSERT(handle.task_, "an empty join_handle was awaited: moved from, detached, or awaited before");
}
template <class T>
void join_awaiter_of<T>::release() noexcept {
  handle_.task_ = nullptr;
  free_task(&task());
}
template <class T>
void join_awaiter_of<T>::throw_cancelled() {
  resumed();
  const releaser at_end{*this};
  throw_task_cancelled(title_of_task(*task_));
}

template <class T>
class cancel_awaiter : public awaiter_base<cancel_awaiter<T>> {
 public:
  static_assert(
      !std::is_reference_v<T>,
      "join_handle::cancel: a std::optional cannot hold a reference; request_cancel() and await the handle, or "
      "return a pointer");
  using value_type = std::optional<value_or_unit<T, std::monostate>>;
  explicit cancel_awaiter(join_handle<T>& handle) : handle_(handle) { handle.request_cancel(); }

  bool await_ready() {
    if (!handle_) return true;
    return joining().await_ready();
  }
  resumable* start(const await_context& c) { return joining_->start(c); }
  outcome<value_type> take() {
    outcome<value_type> o;
    if (!handle_) {
      o.set_value();
      return o;
    }
    if (joining().was_stopped()) {
      joining().discard();
      o.set_value();
      return o;
    }
    auto ended = joining().take();
    if (ended.has_value()) {
      if constexpr (std::is_void_v<T>)
        o.set_value(std::in_place);
      else
        o.set_value(std::in_place, std::move(ended).get());
    } else {
      o.set_error_of(ended);
    }
    return o;
  }

 private:
  join_awaiter_of<T>& joining() { return joining_ ? *joining_ : joining_.emplace(handle_); }
  join_handle<T>& handle_;
  std::optional<join_awaiter_of<T>> joining_;
};

template <class T>
class cancel_awaitable {
 public:
  explicit cancel_awaitable(join_handle<T>& handle) noexcept : handle_(handle) {}
  auto operator co_await() const { return cancel_awaiter<T>(handle_); }

 private:
  join_handle<T>& handle_;
};

}  // namespace detail
}  // namespace astd
