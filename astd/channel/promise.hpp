// promise<T> and future<T>: one value, handed over once; a channel for one message. As in std, with co_await for get().
//
//   astd::promise<int> answer;
//   auto question = answer.get_future();
//   astd::spawn(compute(std::move(answer))).detach();   // calls answer.set_value(42)
//   auto n = co_await question;
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/base/error.hpp>
#include <astd/channel/change.hpp>
#include <astd/channel/message.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/coro/outcome.hpp>
#include <astd/sync/mapped.hpp>
#include <astd/sync/timed_wait.hpp>
#include <astd/sync/wait_on_thread.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace astd {

/// As std::future_status.
enum class future_status { ready, timeout, deferred };

template <class T>
class promise;
template <class T>
class future;
template <class T>
class shared_future;

namespace detail {

/// What a promise and its futures share, but for the value.
class promise_core {
 public:
  explicit promise_core(const char* name) noexcept : ready_(0, name), closing_(0, name) {}
  promise_core(const promise_core&) = delete;
  promise_core& operator=(const promise_core&) = delete;

  // One reference for the promise, one for all futures.
  /// The first future; false if there was one before.
  [[nodiscard]] bool retrieve() noexcept {
    if (retrieved_) return false;
    retrieved_ = true;
    references_.fetch_add(1, std::memory_order_relaxed);
    add_future();
    return true;
  }
  void add_future() noexcept { futures_.fetch_add(1, std::memory_order_relaxed); }
  void drop_future() noexcept;
  void drop_reference() noexcept {
    // acq_rel: the last one frees what the other has used.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  /// Changes once, when the value is there.
  [[nodiscard]] wait_queue& ready() noexcept { return ready_; }
  /// Changes once, when the last future is gone.
  [[nodiscard]] wait_queue& closing() noexcept { return closing_; }
  [[nodiscard]] bool is_ready() const noexcept { return has_changed(ready_); }
  [[nodiscard]] bool is_closed() const noexcept { return has_changed(closing_); }

  /// True for the first: it sets the result, then publish()es, or gives up.
  [[nodiscard]] bool claim() noexcept { return !claimed_.exchange(true, std::memory_order_relaxed); }
  void unclaim() noexcept { claimed_.store(false, std::memory_order_relaxed); }
  void publish() noexcept { change(ready_); }

 protected:
  virtual ~promise_core() = default;

 private:
  wait_queue ready_;
  wait_queue closing_;
  atomic<std::size_t> futures_{0};
  atomic<int> references_{1};
  atomic<bool> claimed_{false};
  bool retrieved_ = false;  // the promise's
};

template <class T>
class promise_state final : public promise_core {
 public:
  using promise_core::promise_core;

  // By who has claimed it, before it is published:
  template <class... Args>
  void set_value(Args&&... args) {
    if constexpr (std::is_reference_v<T>)
      value_.emplace(std::addressof(args)...);
    else
      value_.emplace(std::forward<Args>(args)...);
  }
  outcome<void>& otherwise() noexcept { return otherwise_; }
  /// The value, or whatever there is instead; what moving the value throws takes its place.
  void set_outcome(outcome<T>&& o) noexcept {
#if ASTD_HAS_EXCEPTIONS
    try {
#endif
      if (o.failed())
        otherwise_.set_error_of(o);
      else if (!o.has_value())
        otherwise_.set_failure(std::errc::operation_canceled);  // of a coroutine that is not astd's
      else if constexpr (std::is_void_v<T>)
        set_value();
      else
        set_value(std::move(o).get());
#if ASTD_HAS_EXCEPTIONS
    } catch (...) {
      otherwise_.set_exception(std::current_exception());
    }
#endif
  }

  // When it is ready:
  /// Moves the value out.
  [[nodiscard]] outcome<T> take() {
    outcome<T> o;
    if (!value_)
      o.set_error_of(otherwise_);
    else if constexpr (std::is_void_v<T>)
      o.set_value();
    else if constexpr (std::is_reference_v<T>)
      o.set_value(**value_);
    else
      o.set_value(std::move(*value_));
    return o;
  }
  /// A reference to it; failures are copied.
  template <class R>
  [[nodiscard]] outcome<R> look() const {
    outcome<R> o;
    if (!value_) {
      auto& why = const_cast<outcome<void>&>(otherwise_);
      if (why.what() == outcome<void>::kind::failed)
        o.set_failure(why.error());
      else
        o.set_exception(why.exception());
    } else if constexpr (std::is_void_v<T>) {
      o.set_value();
    } else if constexpr (std::is_reference_v<T>) {
      o.set_value(**value_);
    } else {
      o.set_value(*value_);
    }
    return o;
  }

 private:
  std::optional<stored_t<T>> value_;
  outcome<void> otherwise_;  // if there is no value
};

/// Waits for a value for a while.
class future_timed_wait {
  using came = std::optional<std::monostate>;
  [[nodiscard]] auto wait() const {
    auto try_now = [core = &core_]() -> came {
      if (!core->is_ready()) return std::nullopt;
      return came(std::in_place);
    };
    auto unit = [] { return std::monostate(); };
    return timed_wait(limit_, mapped(change_awaitable(core_.ready(), "future"), unit), try_now);
  }
  static future_status status(came c) noexcept { return c ? future_status::ready : future_status::timeout; }

 public:
  future_timed_wait(promise_core& core, const time_limit& limit) noexcept : core_(core), limit_(limit) {}
  auto operator co_await() const { return map_awaiter(wait(), &status); }
  [[nodiscard]] future_status on_thread() const { return status(wait().on_thread()); }

 private:
  promise_core& core_;
  time_limit limit_;
};

/// What both kinds of futures have in common: how to wait for the value and leave it there. `Future` has a state().
template <class Future>
class future_waits {
 public:
  /// Ends when the value is there, and leaves it.
  [[nodiscard]] auto wait() const { return change_awaitable(state().ready(), "future"); }
  /// `auto status = co_await f.wait_for(d);` The same for at most so long: future_status::ready or timeout. What is there
  /// beats the deadline.
  template <class Rep, class Period>
  [[nodiscard]] auto wait_for(std::chrono::duration<Rep, Period> d) const {
    return future_timed_wait(state(), time_limit(d));
  }
  template <class Clock, class Duration>
  [[nodiscard]] auto wait_until(std::chrono::time_point<Clock, Duration> tp) const {
    return future_timed_wait(state(), time_limit(tp));
  }
  /// The same for plain threads.
  void wait_blocking() const { wait_on_thread(wait()); }
  template <class Rep, class Period>
  future_status wait_for_blocking(std::chrono::duration<Rep, Period> d) const {
    return wait_for(d).on_thread();
  }
  template <class Clock, class Duration>
  future_status wait_until_blocking(std::chrono::time_point<Clock, Duration> tp) const {
    return wait_until(tp).on_thread();
  }

 private:
  [[nodiscard]] promise_core& state() const { return static_cast<const Future*>(this)->state(); }
};

/// What went wrong, as std::future_errc.
enum class promise_misuse : unsigned char { already_retrieved, already_satisfied, no_state };
/// Throws std::future_error; without exceptions, ends the program.
[[noreturn]] ASTD_NOINLINE void throw_future_error(promise_misuse what);
[[nodiscard]] failure broken_promise() noexcept;

template <class T>
class future_awaiter;
template <class T>
class shared_future_awaiter;
/// For who has the promise for himself.
template <class T>
void set_outcome(promise<T>& p, outcome<T>&& o) noexcept;

}  // namespace detail

/// The end that sets the value: once. Move-only. One task or thread at a time uses it; the futures are used elsewhere.
/// If it is destroyed without having set anything, the futures fail with std::future_errc::broken_promise.
template <class T>
class promise {
 public:
  promise() : promise(nullptr) {}
  /// `name` is shown by dump_tasks() and outlives the promise and its futures: usually a literal.
  explicit promise(const char* name) : state_(new detail::promise_state<T>(name)) {
    static_assert(
        detail::fits_a_frame<T>,
        "promise: a value that is aligned to more than 16 bytes cannot be received in a coroutine, whose frame "
        "is not; hand over a std::unique_ptr to it");
  }
  promise(promise&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  promise& operator=(promise&& other) noexcept {
    promise(std::move(other)).swap(*this);
    return *this;
  }
  ~promise() {
    if (!state_) return;
    if (state_->claim()) {
      state_->otherwise().set_failure(detail::broken_promise());
      state_->publish();
    }
    state_->drop_reference();
  }
  void swap(promise& other) noexcept { std::swap(state_, other.state_); }

  /// The future. Once; then, and with a promise that was moved from, throws std::future_error.
  [[nodiscard]] future<T> get_future() {
    if (!state().retrieve()) detail::throw_future_error(detail::promise_misuse::already_retrieved);
    return future<T>(state_);
  }

  /// Makes the value from `args` (for a T&, the object), and wakes who waits for it. Throws std::future_error if there is
  /// one already, and what making it throws: then nothing is set. Without a future it is kept for one.
  template <class... Args>
  void set_value(Args&&... args) {
    if (!state().claim()) detail::throw_future_error(detail::promise_misuse::already_satisfied);
#if ASTD_HAS_EXCEPTIONS
    try {
      state_->set_value(std::forward<Args>(args)...);
    } catch (...) {
      state_->unclaim();
      throw;
    }
#else
    state_->set_value(std::forward<Args>(args)...);
#endif
    state_->publish();
  }
  /// Makes the futures throw `e`.
  void set_exception(std::exception_ptr e) {
    if (!state().claim()) detail::throw_future_error(detail::promise_misuse::already_satisfied);
    state_->otherwise().set_exception(std::move(e));
    state_->publish();
  }
  /// Makes the futures fail: thrown, or a value, as their awaiters like (see as_result).
  void set_error(failure f) {
    if (!state().claim()) detail::throw_future_error(detail::promise_misuse::already_satisfied);
    state_->otherwise().set_failure(std::move(f));
    state_->publish();
  }

  /// Whether there was a future and there is none any more: nobody will look at the value.
  [[nodiscard]] bool is_closed() { return state().is_closed(); }
  /// Ends when that is so. The promise outlives the await.
  [[nodiscard]] auto closed() { return detail::change_awaitable(state().closing(), "the futures' end of promise"); }

 private:
  friend void detail::set_outcome<T>(promise&, detail::outcome<T>&&) noexcept;
  detail::promise_state<T>& state() {
    if (!state_) detail::throw_future_error(detail::promise_misuse::no_state);
    return *state_;
  }
  detail::promise_state<T>* state_;
};

/// The end that waits for the value and takes it, once. Move-only; used by one task or thread at a time.
template <class T>
class [[nodiscard]] future : public detail::future_waits<future<T>> {
 public:
  future() noexcept = default;
  future(future&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  future& operator=(future&& other) noexcept {
    future(std::move(other)).swap(*this);
    return *this;
  }
  ~future() {
    if (state_) state_->drop_future();
  }
  void swap(future& other) noexcept { std::swap(state_, other.state_); }

  /// False if it was made by default, was moved from, or has given its value.
  [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }
  [[nodiscard]] bool is_ready() const noexcept { return state_ && state_->is_ready(); }

  /// `co_await f` gives the value, throws what was set instead, or fails with std::future_errc::broken_promise; then
  /// valid() is false. Cancelled, it takes nothing, and can be awaited again: as in timeout(1s, f). The future outlives
  /// the await. Throws std::future_error if it is not valid.
  [[nodiscard]] auto operator co_await() { return detail::future_awaiter<T>(*this); }
  /// The same.
  [[nodiscard]] future& get() noexcept { return *this; }
  /// As co_await, for plain threads.
  T get_blocking() { return detail::wait_on_thread(*this); }
  /// Gives up the right to the value to any number of others.
  [[nodiscard]] shared_future<T> share() noexcept { return shared_future<T>(std::exchange(state_, nullptr)); }

 private:
  friend promise<T>;
  friend detail::future_awaiter<T>;
  friend detail::future_waits<future>;
  explicit future(detail::promise_state<T>* state) noexcept : state_(state) {}
  detail::promise_state<T>& state() const {
    if (!state_) detail::throw_future_error(detail::promise_misuse::no_state);
    return *state_;
  }
  detail::promise_state<T>* state_ = nullptr;
};

/// A future whose value stays: copyable, awaited by many and as often as they like, each with a copy of his own.
template <class T>
class shared_future : public detail::future_waits<shared_future<T>> {
 public:
  /// What it gives: as in std.
  using reference = std::conditional_t<std::is_void_v<T>, void, std::add_lvalue_reference_t<std::add_const_t<T>>>;

  shared_future() noexcept = default;
  shared_future(future<T>&& f) noexcept : shared_future(f.share()) {}  // NOLINT: as in std
  shared_future(const shared_future& other) noexcept : state_(other.state_) {
    if (state_) state_->add_future();
  }
  shared_future(shared_future&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  shared_future& operator=(shared_future other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~shared_future() {
    if (state_) state_->drop_future();
  }

  [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }
  [[nodiscard]] bool is_ready() const noexcept { return state_ && state_->is_ready(); }
  /// `co_await f` gives a reference to the value, good as long as one of the futures is there; or throws, or fails, as a
  /// future.
  [[nodiscard]] auto operator co_await() const { return detail::shared_future_awaiter<T>(state()); }
  [[nodiscard]] const shared_future& get() const noexcept { return *this; }
  reference get_blocking() const { return detail::wait_on_thread(*this); }

 private:
  friend future<T>;
  friend detail::future_waits<shared_future>;
  explicit shared_future(detail::promise_state<T>* state) noexcept : state_(state) {}
  detail::promise_state<T>& state() const {
    if (!state_) detail::throw_future_error(detail::promise_misuse::no_state);
    return *state_;
  }
  detail::promise_state<T>* state_ = nullptr;
};

namespace detail {

template <class T>
void set_outcome(promise<T>& p, outcome<T>&& o) noexcept {
  static_cast<void>(p.state_->claim());
  p.state_->set_outcome(std::move(o));
  p.state_->publish();
}

template <class T>
class future_awaiter final : public waiter, public awaiter_base<future_awaiter<T>> {
 public:
  using value_type = T;
  explicit future_awaiter(future<T>& f) : waiter(f.state().ready()), future_(f) {}
  bool await_ready() const noexcept { return future_.is_ready(); }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<T> take() {
    resumed();
    const future<T> done = std::move(future_);  // it gives its value once
    return done.state_->take();
  }

 private:
  bool admit(wait_queue::word& state) noexcept override { return state != 0; }
  void describe(std::string& out, unsigned) const override { describe_as(out, "future"); }
  future<T>& future_;
};

template <class T>
class shared_future_awaiter final : public waiter, public awaiter_base<shared_future_awaiter<T>> {
 public:
  using value_type = typename shared_future<T>::reference;
  explicit shared_future_awaiter(promise_state<T>& state) noexcept : waiter(state.ready()), state_(state) {}
  bool await_ready() const noexcept { return state_.is_ready(); }
  resumable* start(const await_context& c) noexcept { return wait(c); }
  outcome<value_type> take() {
    resumed();
    return state_.template look<value_type>();
  }

 private:
  bool admit(wait_queue::word& state) noexcept override { return state != 0; }
  void describe(std::string& out, unsigned) const override { describe_as(out, "future"); }
  promise_state<T>& state_;
};

}  // namespace detail
}  // namespace astd
