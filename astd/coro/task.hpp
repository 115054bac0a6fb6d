// task<T>: a coroutine that runs when it is awaited.
//
//   astd::task<int> answer() { co_return 42; }
//   astd::task<> ask() {
//     int a = co_await answer();
//     ...
//   }
//
// A task does nothing until it is awaited or spawned. Awaiting it runs it on the spot, in the same chain: it can be
// cancelled with its awaiter, and its frame is gone before the awaiter goes on. Neither a long run of awaits nor a
// deep nest of them uses up the stack.
#pragma once

#include <astd/base/assert.hpp>
#include <astd/base/frame_pool.hpp>
#include <astd/coro/affine.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/coro/task_header.hpp>

#include <coroutine>
#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

namespace astd {

template <class T>
class task;

namespace detail {

template <class T>
class task_awaiter;
struct task_access;

/// Suspends a task before its first statement.
class start_awaiter {
 public:
  explicit start_awaiter(promise_base& promise) noexcept : promise_(promise) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  // The outer end of a chain starts it; within a chain nothing changes.
  void await_resume() const noexcept {
    if (!promise_.parent()) set_current_chain(&promise_.in(), &promise_);
  }

 private:
  promise_base& promise_;
};

/// Suspends a task behind its last, and goes on with whoever awaits it.
class end_awaiter {
 public:
  bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> ended) const noexcept {
    return transfer(ended.promise().continuation());
  }
  void await_resume() const noexcept {}
};

/// What the promise of a task<T> has beside its way to return.
template <class T>
class task_promise_base : public promise_base {
 public:
  using value_type = T;

  static void* operator new(std::size_t size) {
    constexpr std::size_t room = task_room<T>;
    char* block;
    if constexpr (alignof(spawned_task<T>) > 16)
      block = static_cast<char*>(::operator new(room + size, std::align_val_t(alignof(spawned_task<T>))));
    else
      block = static_cast<char*>(allocate_frame(room + size));
    tag_of(block + room) = size;
    return block + room;
  }
  static void operator delete(void* frame, std::size_t) noexcept {
    if (const std::uint64_t tag = tag_of(frame); !(tag & spawned_tag)) free_block(frame, tag);
  }
  /// `size`: the coroutine frame's.
  static void free_block(void* frame, std::size_t size) noexcept {
    constexpr std::size_t room = task_room<T>;
    char* const block = static_cast<char*>(frame) - room;
    if constexpr (alignof(spawned_task<T>) > 16)
      ::operator delete(static_cast<void*>(block), std::align_val_t(alignof(spawned_task<T>)));
    else
      free_frame(block, room + size);
  }

  auto initial_suspend() noexcept { return start_awaiter(*this); }
  auto final_suspend() noexcept { return end_awaiter(); }
  void unhandled_exception() noexcept { result().set_exception(std::current_exception()); }

  /// Ends the coroutine without resuming it: see or_return.
  void set_failure(failure f) noexcept { result().set_failure(std::move(f)); }

  template <awaitable A>
  decltype(auto) await_transform(A&& a, std::source_location where = std::source_location::current()) {
    set_where(where);
    if constexpr (own_awaitable<A>)
      return static_cast<A&&>(a);
    else
      return affine_awaiter<A>(static_cast<A&&>(a));
  }
  // Only for what the compiler says then.
  template <class U>
  task<U>&& await_transform(task<U>& t) {
    static_assert(sizeof(U*) == 0, "a task is awaited once, and given up by that: write co_await std::move(task)");
    return static_cast<task<U>&&>(t);
  }

 protected:
  outcome<T>& result() noexcept {
    if (frame_slot* const s = this->slot()) return static_cast<task_slot<T>*>(s)->result;
    return spawned_task<T>::of_frame(std::coroutine_handle<task_promise_base>::from_promise(*this).address())
        .result;
  }
};

template <class T>
class task_promise final : public task_promise_base<T> {
 public:
  task<T> get_return_object() noexcept;
  template <class U = T>
    requires std::convertible_to<U&&, T>
  void return_value(U&& value) {
    this->result().set_value(std::forward<U>(value));
  }
};

template <>
class task_promise<void> final : public task_promise_base<void> {
 public:
  task<void> get_return_object() noexcept;
  void return_void() noexcept { result().set_value(); }
};

template <class T>
class task_awaiter : public awaiter_base<task_awaiter<T>> {
 public:
  using value_type = T;
  explicit task_awaiter(std::coroutine_handle<task_promise<T>> frame) noexcept : slot_(frame) {}

  bool await_ready() const noexcept {
    ASTD_ASSERT(slot_.frame(), "a task was awaited that is empty: moved from, or awaited twice");
    return false;
  }
  resumable* start(const await_context& c) noexcept {
    auto frame = std::coroutine_handle<task_promise<T>>::from_address(slot_.frame().address());
    slot_.connect(c.continuation, c.frame);
    frame.promise().start_in(slot_, *c.in);
    return as_resumable(frame);
  }
  outcome<T> take() noexcept(std::is_nothrow_move_constructible_v<stored_t<T>>) {
    slot_.destroy_frame();
    return std::move(slot_.result);
  }
  T await_resume() {
    slot_.destroy_frame();
    return std::move(slot_.result).get();
  }

 private:
  task_slot<T> slot_;
};

}  // namespace detail

/// A coroutine with a result of type T: an object, a reference, or nothing. Move-only; awaited or spawned once, as an
/// rvalue. A task that is destroyed unawaited never ran: its parameters are destroyed.
///
/// Parameters by reference must outlive the await; what is spawned takes its parameters by value. A failing task ends
/// with an exception, or with an error code that never was one (see or_return); as_result() tells without throwing.
/// Cancelled, it ends without either: its frame is destroyed where it is suspended, after what it awaits has ended.
///
/// May be made on one thread and awaited on another; used by one at a time.
///
/// A frame is aligned to 16 bytes, and so is all that lies in it: parameters, locals, and what is awaited. No compiler
/// here aligns frames further (GCC PR 104177, LLVM #56671): keep what needs more behind a pointer.
template <class T = void>
class [[nodiscard("a task does nothing until it is awaited or spawned")]] ASTD_CORO_ELIDABLE ASTD_CORO_LIFETIME
task {
 public:
  using promise_type = detail::task_promise<T>;
  using value_type = T;

  task() noexcept = default;
  task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    task(std::move(other)).swap(*this);
    return *this;
  }
  ~task() {
    if (frame_) frame_.destroy();
  }
  void swap(task& other) noexcept { std::swap(frame_, other.frame_); }

  /// False when moved from or awaited. No conversion to bool: a coroutine where a predicate is wanted is to be an error,
  /// not true.
  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(frame_); }

  auto operator co_await() && noexcept { return detail::task_awaiter<T>(std::exchange(frame_, nullptr)); }
  /// A task is awaited once, and given up by that: write co_await std::move(t).
  void operator co_await() & = delete;

 private:
  friend promise_type;
  friend detail::task_access;
  explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
  return task<T>(std::coroutine_handle<task_promise>::from_promise(*this));
}
inline task<void> task_promise<void>::get_return_object() noexcept {
  return task<void>(std::coroutine_handle<task_promise>::from_promise(*this));
}

/// How spawn gets at a task's frame.
struct task_access {
  template <class T>
  static std::coroutine_handle<task_promise<T>> release(task<T>& t) noexcept {
    return std::exchange(t.frame_, nullptr);
  }
};

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

/// What is left of an awaited value when its awaiter is gone: an rvalue reference would refer into that.
template <class A>
using kept_result_t = std::conditional_t<std::is_rvalue_reference_v<await_result_t<A>>,
                                         std::remove_cvref_t<await_result_t<A>>, await_result_t<A>>;

/// Any awaitable as a task; `a` is moved in, or referred to if it is an lvalue.
template <class A>
task<kept_result_t<A>> as_task(A a) {
  if constexpr (std::is_void_v<await_result_t<A>>)
    co_await static_cast<A&&>(a);
  else
    co_return co_await static_cast<A&&>(a);
}

}  // namespace detail
}  // namespace astd
