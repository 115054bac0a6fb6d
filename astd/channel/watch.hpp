// watch_channel<T>(v): a value that changes, and those who want to know. Whoever looks sees the latest; what came between
// two looks may be missed, the last never.
//
//   auto [tx, rx] = astd::watch_channel<config>(load());
//   tx.send(load());                                // on one side
//   auto more = co_await rx.changed();              // on the other
//   if (more) use(*rx.borrow_and_update());
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/channel/arrival_waiter.hpp>
#include <astd/channel/change.hpp>
#include <astd/channel/message.hpp>
#include <astd/channel/pooled_value.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/coro/task.hpp>
#include <astd/sync/wait_on_thread.hpp>
#include <astd/sync/wait_queue.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace astd {

template <class T>
class watch_sender;
template <class T>
class watch_receiver;
template <class T, class... Args>
[[nodiscard]] std::pair<watch_sender<T>, watch_receiver<T>> watch_channel(Args&&... args);

namespace detail {

template <class T>
class watch_state {
 public:
  // The word: whether all senders are gone, and how often the value has changed.
  static constexpr wait_queue::word over = wait_queue::one, version_one = over * 2;
  static constexpr wait_queue::word version_of(wait_queue::word w) noexcept { return w / version_one; }

  explicit watch_state(std::shared_ptr<T> first) noexcept : value_(std::move(first)) {}

  [[nodiscard]] wait_queue& changes() noexcept { return changes_; }
  [[nodiscard]] wait_queue& closing() noexcept { return closing_; }
  // acquire: the value.
  [[nodiscard]] wait_queue::word look() const noexcept { return changes_.state().load(std::memory_order_acquire); }

  [[nodiscard]] std::shared_ptr<const T> get(wait_queue::word& version) noexcept {
    const wait_queue::word w = changes_.lock();
    std::shared_ptr<const T> value = value_;
    changes_.unlock(w);
    version = version_of(w);
    return value;
  }
  /// `value` becomes the old one, which the caller destroys when it holds no lock.
  void swap(std::shared_ptr<T>& value) noexcept {
    changes_.update([&](wait_queue::word w) {
      value_.swap(value);
      return w + version_one;
    });
  }
  /// Held by who changes the value by what it was.
  [[nodiscard]] std::mutex& writing() noexcept { return writing_; }

  void add_sender() noexcept { senders_.fetch_add(1, std::memory_order_relaxed); }
  void drop_sender() noexcept {
    // acq_rel: what the other senders did comes before the end.
    if (senders_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      changes_.update([](wait_queue::word w) { return w | over; });
  }
  void add_receiver() noexcept {
    closing_.update([this](wait_queue::word) {
      receivers_.fetch_add(1, std::memory_order_relaxed);
      return wait_queue::word(0);
    });
  }
  void drop_receiver() noexcept {
    closing_.update([this](wait_queue::word) {
      return receivers_.fetch_sub(1, std::memory_order_relaxed) == 1 ? wait_queue::one : 0;
    });
  }
  [[nodiscard]] std::size_t senders() const noexcept { return senders_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t receivers() const noexcept { return receivers_.load(std::memory_order_relaxed); }

 private:
  wait_queue changes_;
  wait_queue closing_;
  std::shared_ptr<T> value_;  // guarded by the lock of changes_
  std::mutex writing_;
  atomic<std::size_t> senders_{1};
  atomic<std::size_t> receivers_{1};  // written with the lock of closing_
};

template <class T>
class changed_awaiter final : public arrival_waiter, public awaiter_base<changed_awaiter<T>> {
 public:
  using value_type = bool;
  changed_awaiter(watch_state<T>& state, wait_queue::word& seen) noexcept
      : arrival_waiter(state.changes()), state_(state), seen_(seen) {}
  bool await_ready() noexcept { return has_time() && lets_through(state_.look()); }
  outcome<bool> take() noexcept {
    resumed();
    outcome<bool> o;
    const wait_queue::word version = watch_state<T>::version_of(state_.look());
    o.set_value(version != seen_);
    seen_ = version;
    return o;
  }

 private:
  [[nodiscard]] bool lets_through(wait_queue::word w) const noexcept {
    return watch_state<T>::version_of(w) != seen_ || (w & watch_state<T>::over) != 0;
  }
  bool admit(wait_queue::word& w) noexcept override { return lets_through(w); }
  void describe(std::string& out, unsigned) const override { out += "a change of a watched value"; }

  watch_state<T>& state_;
  wait_queue::word& seen_;
};

template <class T>
class [[nodiscard("it does nothing until it is awaited")]] changed_awaitable {
 public:
  changed_awaitable(watch_state<T>& state, wait_queue::word& seen) noexcept : state_(&state), seen_(&seen) {}
  auto operator co_await() const noexcept { return changed_awaiter<T>(*state_, *seen_); }

 private:
  watch_state<T>* state_;
  wait_queue::word* seen_;
};

}  // namespace detail

/// Sets the value. Copies set the same; any thread, and no member waits for a task.
template <class T>
class watch_sender {
 public:
  watch_sender(const watch_sender& other) noexcept : state_(other.state_) {
    if (state_) state_->add_sender();
  }
  watch_sender(watch_sender&& other) noexcept = default;
  watch_sender& operator=(watch_sender other) noexcept {
    state_.swap(other.state_);
    return *this;
  }
  ~watch_sender() {
    if (state_) state_->drop_sender();
  }

  /// Sets the value and wakes who waits for a change, also if there is no receiver now. Throws what making it throws:
  /// then nothing has changed. The old value lives until nobody has it borrowed.
  void send(T value) const {
    auto made = detail::make_pooled<T>(std::move(value));
    const std::lock_guard guard(state_->writing());
    state_->swap(made);
  }
  /// Calls `change(T&)` on a copy of the value, which then becomes the value. One at a time; `change` uses no sender of
  /// this channel. If it throws, nothing has changed.
  template <std::invocable<T&> F>
    requires std::copy_constructible<T>
  void send_modify(F&& change) const {
    static_assert(
        !awaitable<std::invoke_result_t<F, T&>>,
        "watch_sender::send_modify: what changes the value is called, not awaited: it cannot be a coroutine");
    send_if_modified([&](T& value) {
      static_cast<F&&>(change)(value);
      return true;
    });
  }
  /// The same where `change` says whether it has changed anything; if not, nobody is told. Gives what it said.
  template <std::predicate<T&> F>
    requires std::copy_constructible<T>
  bool send_if_modified(F&& change) const {
    std::shared_ptr<T> made;  // goes when nothing is locked any more
    const std::lock_guard guard(state_->writing());
    detail::wait_queue::word version;
    made = detail::make_pooled<T>(*state_->get(version));
    if (!static_cast<F&&>(change)(*made)) return false;
    state_->swap(made);
    return true;
  }

  /// The value. It stays what it was as long as the pointer is held.
  [[nodiscard]] std::shared_ptr<const T> borrow() const noexcept {
    detail::wait_queue::word version;
    return state_->get(version);
  }
  /// A receiver that has seen the value as it is now.
  [[nodiscard]] watch_receiver<T> subscribe() const {
    state_->add_receiver();
    return watch_receiver<T>(state_);
  }
  /// Whether there is no receiver. subscribe() makes that false again.
  [[nodiscard]] bool is_closed() const noexcept { return detail::has_changed(state_->closing()); }
  /// Ends when that is so.
  [[nodiscard]] auto closed() const noexcept {
    return detail::change_awaitable(state_->closing(), "the receivers' end of a watched value");
  }
  [[nodiscard]] std::size_t sender_count() const noexcept { return state_->senders(); }
  [[nodiscard]] std::size_t receiver_count() const noexcept { return state_->receivers(); }

 private:
  template <class U, class... Args>
  friend std::pair<watch_sender<U>, watch_receiver<U>> watch_channel(Args&&...);
  explicit watch_sender(std::shared_ptr<detail::watch_state<T>> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<detail::watch_state<T>> state_;
};

/// Looks at the value and waits for changes. Each remembers what it has seen: it is used by one task at a time, and a copy
/// has seen what the original has.
template <class T>
class watch_receiver {
 public:
  watch_receiver(const watch_receiver& other) noexcept : state_(other.state_), seen_(other.seen_) {
    if (state_) state_->add_receiver();
  }
  watch_receiver(watch_receiver&& other) noexcept = default;
  watch_receiver& operator=(watch_receiver other) noexcept {
    state_.swap(other.state_);
    std::swap(seen_, other.seen_);
    return *this;
  }
  ~watch_receiver() {
    if (state_) state_->drop_receiver();
  }

  /// Waits until the value is one that this receiver has not seen, and takes it as seen: true. False when there is none
  /// and the senders are gone; a last value that was not seen comes first. Cancelled, it has seen nothing.
  [[nodiscard]] auto changed() { return detail::changed_awaitable<T>(*state_, seen_); }
  /// As changed(), for plain threads.
  bool changed_blocking() { return detail::wait_on_thread(changed()); }
  [[nodiscard]] bool has_changed() const noexcept {
    return detail::watch_state<T>::version_of(state_->look()) != seen_;
  }
  /// Whether the senders are gone.
  [[nodiscard]] bool is_closed() const noexcept { return (state_->look() & detail::watch_state<T>::over) != 0; }

  /// The value, seen or not. It stays what it was as long as the pointer is held, across awaits as well.
  [[nodiscard]] std::shared_ptr<const T> borrow() const noexcept {
    detail::wait_queue::word version;
    return state_->get(version);
  }
  /// The same, and takes it as seen.
  [[nodiscard]] std::shared_ptr<const T> borrow_and_update() noexcept { return state_->get(seen_); }
  /// A copy of it, taken as seen.
  [[nodiscard]] T get() {
    static_assert(
        detail::fits_a_frame<T>,
        "watch_channel: a value that is aligned to more than 16 bytes cannot lie in a coroutine, whose frame is "
        "not: borrow() it");
    return *borrow_and_update();
  }

  /// Waits until `wanted(const T&)` holds for the value, be it seen or not, and gives that value; null when the senders
  /// are gone before. `wanted` lives as long as the await.
  template <std::predicate<const T&> F>
  [[nodiscard]] task<std::shared_ptr<const T>> wait_for(F wanted) {
    for (;;) {
      auto value = borrow_and_update();
      if (wanted(*value)) co_return value;
      const bool more = co_await changed();
      if (!more) co_return nullptr;
    }
  }
  /// As a stream: a copy of the value at each change; empty when the senders are gone.
  [[nodiscard]] task<std::optional<T>> next() {
    const bool more = co_await changed();
    if (!more) co_return std::nullopt;
    co_return get();
  }
  [[nodiscard]] bool same_channel(const watch_receiver& other) const noexcept { return state_ == other.state_; }

 private:
  friend watch_sender<T>;
  template <class U, class... Args>
  friend std::pair<watch_sender<U>, watch_receiver<U>> watch_channel(Args&&...);
  explicit watch_receiver(std::shared_ptr<detail::watch_state<T>> state) noexcept
      : state_(std::move(state)), seen_(detail::watch_state<T>::version_of(state_->look())) {}
  std::shared_ptr<detail::watch_state<T>> state_;
  detail::wait_queue::word seen_;
};

/// The two ends of a value, which is first made from `args` and counts as seen.
template <class T, class... Args>
std::pair<watch_sender<T>, watch_receiver<T>> watch_channel(Args&&... args) {
  auto state = std::make_shared<detail::watch_state<T>>(detail::make_pooled<T>(std::forward<Args>(args)...));
  return {watch_sender<T>(state), watch_receiver<T>(state)};
}

}  // namespace astd
