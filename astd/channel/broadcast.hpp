// broadcast_channel<T>(n): every receiver gets every message. The channel keeps the last n; a receiver that falls further
// behind is told how many it has missed.
//
//   auto [tx, rx] = astd::broadcast_channel<event>(64);
//   auto other = tx.subscribe();               // what is sent from now on
//   tx.send(event{...});                       // never waits
//   auto e = co_await rx.recv();               // std::optional<event>
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/channel/arrival_waiter.hpp>
#include <astd/channel/change.hpp>
#include <astd/channel/channel_error.hpp>
#include <astd/channel/message.hpp>
#include <astd/channel/pooled_value.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/sync/wait_on_thread.hpp>
#include <astd/sync/wait_queue.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace astd {

template <class T>
class broadcast_sender;
template <class T>
class broadcast_receiver;
template <class T>
class weak_broadcast_sender;
namespace detail {

struct broadcast_ends;
/// Every receiver gets a copy.
template <class T>
concept broadcast_type = message_type<T> && std::copy_constructible<T>;

}  // namespace detail

template <detail::broadcast_type T>
[[nodiscard]] std::pair<broadcast_sender<T>, broadcast_receiver<T>> broadcast_channel(std::size_t capacity,
                                                                                      const char* name = nullptr);

namespace detail {

/// Where a message lies, with the channel's lock held, and the `parcel` in which it goes in and out.
template <class T>
class broadcast_slot {
 public:
  using parcel = std::shared_ptr<T>;
  static parcel pack(T&& message) { return make_pooled<T>(std::move(message)); }

  /// For so many receivers; what lay here goes out with `message`.
  void put(parcel& message, std::size_t receivers) noexcept {
    message_.swap(message);
    unseen_ = receivers;
  }
  void take(parcel& to) noexcept {
    if (--unseen_ == 0)
      to.swap(message_);
    else
      to = message_;
  }

 private:
  parcel message_;
  std::size_t unseen_ = 0;  // by how many receivers
};

/// Small ones without code of their own are copied with the lock held: no count that all receivers write.
template <class T>
  requires(std::is_trivially_copyable_v<T> && std::copyable<T> && sizeof(T) <= 64)
class broadcast_slot<T> {
 public:
  using parcel = std::optional<T>;
  static parcel pack(T&& message) noexcept { return message; }

  void put(const parcel& message, std::size_t) noexcept { message_ = message; }
  void take(parcel& to) const noexcept { to = message_; }

 private:
  parcel message_;
};

/// What a look for the next message brought.
enum class broadcast_look : std::uint8_t { message, empty, closed, lagged };

template <class T>
class broadcast_state {
 public:
  using slot = broadcast_slot<T>;
  using parcel = slot::parcel;

  // The word: whether the senders are gone, and how many messages there were.
  static constexpr wait_queue::word over = wait_queue::one, message_one = over * 2;
  static constexpr std::uint64_t count_of(wait_queue::word w) noexcept { return w / message_one; }

  broadcast_state(std::size_t capacity, const char* name)
      : arrivals_(0, name), closing_(wait_queue::one, name), slots_(capacity) {}

  [[nodiscard]] wait_queue& arrivals() noexcept { return arrivals_; }
  [[nodiscard]] wait_queue& closing() noexcept { return closing_; }
  [[nodiscard]] wait_queue::word look() const noexcept { return arrivals_.state().load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }
  [[nodiscard]] const char* name() const noexcept { return arrivals_.name(); }

  /// How many receivers it is for.
  std::size_t send(T&& value) {
    parcel message = slot::pack(std::move(value));
    std::size_t reached = 0;
    arrivals_.update([&](wait_queue::word w) {
      reached = receivers_.load(std::memory_order_relaxed);
      if (reached == 0) return w;
      slots_[count_of(w) % slots_.size()].put(message, reached);
      return w + message_one;
    });
    return reached;
  }  // what it has displaced goes here, with no lock held

  broadcast_look receive(std::uint64_t& at, std::uint64_t& missed, parcel& to) noexcept {
    const wait_queue::word w = arrivals_.lock();
    const broadcast_look found = receive_locked(w, at, missed, to);
    arrivals_.unlock(w);
    return found;
  }
  /// The same for who has the lock; `w` is the word.
  broadcast_look receive_locked(wait_queue::word w, std::uint64_t& at, std::uint64_t& missed, parcel& to) noexcept {
    const std::uint64_t count = count_of(w);
    if (count - at > slots_.size()) {
      missed = count - slots_.size() - at;
      at += missed;
      return broadcast_look::lagged;
    }
    if (at == count) return (w & over) != 0 ? broadcast_look::closed : broadcast_look::empty;
    slots_[at++ % slots_.size()].take(to);
    return broadcast_look::message;
  }

  void add_sender() noexcept { senders_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] bool upgrade() noexcept {
    std::size_t seen = senders_.load(std::memory_order_relaxed);
    while (seen != 0)
      if (senders_.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_relaxed))
        return true;
    return false;
  }
  void drop_sender() noexcept {
    // acq_rel: what the other senders did comes before the end.
    if (senders_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      arrivals_.update([](wait_queue::word w) { return w | over; });
  }
  /// From which message on.
  [[nodiscard]] std::uint64_t add_receiver() noexcept {
    const wait_queue::word w = arrivals_.lock();
    if (receivers_.fetch_add(1, std::memory_order_relaxed) == 0)
      closing_.update([](wait_queue::word) { return wait_queue::word(0); });
    arrivals_.unlock(w);
    return count_of(w);
  }
  void drop_receiver(std::uint64_t at) noexcept {
    const wait_queue::word w = arrivals_.lock();
    std::uint64_t behind = count_of(w);
    const bool last = receivers_.fetch_sub(1, std::memory_order_relaxed) == 1;
    arrivals_.unlock(w);
    // What it had still to see, one by one: nothing is destroyed with a lock held. What comes now is not for it.
    while (at != behind) {
      std::uint64_t missed = 0;
      parcel gone;
      if (receive(at, missed, gone) == broadcast_look::lagged && behind < at) return tell(last);
    }
    tell(last);
  }
  [[nodiscard]] std::size_t senders() const noexcept { return senders_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t receivers() const noexcept { return receivers_.load(std::memory_order_relaxed); }

 private:
  void tell(bool last) noexcept {
    if (!last) return;
    wait_queue::admitted out;
    const wait_queue::word w = arrivals_.lock();
    if (receivers_.load(std::memory_order_relaxed) == 0) {
      static_cast<void>(closing_.lock());
      closing_.admit_all(out);
      closing_.unlock(wait_queue::one);
    }
    arrivals_.unlock(w);
    wait_queue::wake(out);  // with no lock held
  }

  wait_queue arrivals_;
  wait_queue closing_;
  std::vector<slot> slots_;  // guarded by the lock of arrivals_
  atomic<std::size_t> senders_{1};
  atomic<std::size_t> receivers_{0};  // written with that lock
};

template <class T>
class broadcast_awaiter final : public arrival_waiter, public awaiter_base<broadcast_awaiter<T>> {
 public:
  using value_type = std::optional<T>;
  broadcast_awaiter(broadcast_state<T>& state, std::uint64_t& at, std::uint64_t& missed) noexcept
      : arrival_waiter(state.arrivals()), state_(state), at_(at), missed_(missed) {}
  bool await_ready() noexcept { return has_time() && lets_through(state_.look()); }
  outcome<std::optional<T>> take() {
    resumed();
    if (found_ == broadcast_look::empty) found_ = state_.receive(at_, missed_, message_);
    outcome<std::optional<T>> o;
    switch (found_) {
      case broadcast_look::message: o.set_value(std::in_place, std::as_const(*message_)); break;
      case broadcast_look::lagged: o.set_failure(failure(make_error_code(channel_errc::lagged))); break;
      default: o.set_value(std::nullopt);
    }
    return o;
  }

 private:
  [[nodiscard]] bool lets_through(wait_queue::word w) const noexcept {
    return broadcast_state<T>::count_of(w) != at_ || (w & broadcast_state<T>::over) != 0;
  }
  // It is given what it waited for by who has the lock already, and need not take it again.
  bool admit(wait_queue::word& w) noexcept override {
    found_ = state_.receive_locked(w, at_, missed_, message_);
    return found_ != broadcast_look::empty;
  }
  void describe(std::string& out, unsigned) const override { describe_as(out, "recv of broadcast channel"); }

  broadcast_state<T>& state_;
  std::uint64_t& at_;
  std::uint64_t& missed_;
  broadcast_look found_ = broadcast_look::empty;
  typename broadcast_state<T>::parcel message_;
};

template <class T>
class [[nodiscard("it does nothing until it is awaited")]] broadcast_awaitable {
 public:
  broadcast_awaitable(broadcast_state<T>& state, std::uint64_t& at, std::uint64_t& missed) noexcept
      : state_(&state), at_(&at), missed_(&missed) {}
  auto operator co_await() const noexcept { return broadcast_awaiter<T>(*state_, *at_, *missed_); }

 private:
  broadcast_state<T>* state_;
  std::uint64_t* at_;
  std::uint64_t* missed_;
};

}  // namespace detail

/// Sends to all receivers there are. Copies send into the same channel, which is closed when the last one is gone. Any
/// thread.
template <class T>
class broadcast_sender {
 public:
  broadcast_sender(const broadcast_sender& other) noexcept : state_(other.state_) {
    if (state_) state_->add_sender();
  }
  broadcast_sender(broadcast_sender&& other) noexcept = default;
  broadcast_sender& operator=(broadcast_sender other) noexcept {
    state_.swap(other.state_);
    return *this;
  }
  ~broadcast_sender() {
    if (state_) state_->drop_sender();
  }

  /// Sends at once, over the oldest message if n are kept. Gives the number of receivers that it is for; with 0 it is
  /// gone. The message lives until all of them have received it, or have fallen behind.
  std::size_t send(T message) const { return state_->send(std::move(message)); }
  /// One more receiver, for what is sent from now on.
  [[nodiscard]] broadcast_receiver<T> subscribe() const { return broadcast_receiver<T>(state_); }
  /// Whether there is no receiver. subscribe() makes that false again.
  [[nodiscard]] bool is_closed() const noexcept { return state_->receivers() == 0; }
  /// Ends when that is so.
  [[nodiscard]] auto closed() const noexcept {
    return detail::change_awaitable(state_->closing(), "the receivers' end of broadcast channel");
  }
  [[nodiscard]] std::size_t sender_count() const noexcept { return state_->senders(); }
  [[nodiscard]] std::size_t receiver_count() const noexcept { return state_->receivers(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return state_->capacity(); }
  [[nodiscard]] bool same_channel(const broadcast_sender& other) const noexcept { return state_ == other.state_; }
  /// A handle that does not keep the channel open.
  [[nodiscard]] weak_broadcast_sender<T> downgrade() const noexcept { return weak_broadcast_sender<T>(state_); }

 private:
  friend weak_broadcast_sender<T>;
  friend detail::broadcast_ends;
  explicit broadcast_sender(std::shared_ptr<detail::broadcast_state<T>> state) noexcept
      : state_(std::move(state)) {}
  std::shared_ptr<detail::broadcast_state<T>> state_;
};

/// Refers to a channel without being one of its senders.
template <class T>
class weak_broadcast_sender {
 public:
  /// A sender, unless the last one is gone.
  [[nodiscard]] std::optional<broadcast_sender<T>> upgrade() const {
    if (!state_ || !state_->upgrade()) return std::nullopt;
    return broadcast_sender<T>(state_);
  }

 private:
  friend broadcast_sender<T>;
  explicit weak_broadcast_sender(std::shared_ptr<detail::broadcast_state<T>> state) noexcept
      : state_(std::move(state)) {}
  std::shared_ptr<detail::broadcast_state<T>> state_;
};

/// Receives everything that is sent while it is there; a stream. Move-only; used by one task at a time.
template <class T>
class broadcast_receiver {
 public:
  broadcast_receiver(broadcast_receiver&& other) noexcept = default;
  broadcast_receiver& operator=(broadcast_receiver&& other) noexcept {
    broadcast_receiver moved(std::move(other));
    state_.swap(moved.state_);
    std::swap(at_, moved.at_);
    std::swap(missed_, moved.missed_);
    return *this;
  }
  ~broadcast_receiver() {
    if (state_) state_->drop_receiver(at_);
  }

  /// A copy of the next message as a std::optional; empty when the senders are gone and all is received. If messages were
  /// overwritten that it had still to receive, it fails with channel_errc::lagged, once: missed() says how many, and the
  /// next recv() gives the oldest that is left. Cancelled, it takes nothing. The receiver outlives the await.
  [[nodiscard]] auto recv() noexcept { return detail::broadcast_awaitable<T>(*state_, at_, missed_); }
  /// The same: what a stream has.
  [[nodiscard]] auto next() noexcept { return recv(); }
  /// The next message if it is there; else channel_errc::empty, closed, or lagged as above.
  [[nodiscard]] std::expected<T, std::error_code> try_recv() {
    typename detail::broadcast_state<T>::parcel message;
    switch (state_->receive(at_, missed_, message)) {
      case detail::broadcast_look::message: return std::as_const(*message);
      case detail::broadcast_look::empty: return std::unexpected(make_error_code(channel_errc::empty));
      case detail::broadcast_look::lagged: return std::unexpected(make_error_code(channel_errc::lagged));
      default: return std::unexpected(make_error_code(channel_errc::closed));
    }
  }
  /// As recv(), for plain threads.
  std::optional<T> recv_blocking() { return detail::wait_on_thread(recv()); }

  /// How many messages the last channel_errc::lagged stood for.
  [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }
  /// How many it has still to receive; those it has missed count until it is told.
  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(detail::broadcast_state<T>::count_of(state_->look()) - at_);
  }
  [[nodiscard]] bool is_empty() const noexcept { return size() == 0; }
  /// Whether the senders are gone.
  [[nodiscard]] bool is_closed() const noexcept { return (state_->look() & detail::broadcast_state<T>::over) != 0; }
  /// One more receiver, for what is sent from now on.
  [[nodiscard]] broadcast_receiver resubscribe() const { return broadcast_receiver(state_); }

 private:
  friend broadcast_sender<T>;
  friend detail::broadcast_ends;
  explicit broadcast_receiver(std::shared_ptr<detail::broadcast_state<T>> state) noexcept
      : state_(std::move(state)), at_(state_->add_receiver()) {}
  std::shared_ptr<detail::broadcast_state<T>> state_;
  std::uint64_t at_;  // the next one
  std::uint64_t missed_ = 0;
};

namespace detail {

/// Makes both.
struct broadcast_ends {
  template <class T>
  static std::pair<broadcast_sender<T>, broadcast_receiver<T>> of(std::size_t capacity, const char* name) {
    auto state = std::make_shared<broadcast_state<T>>(capacity, name);
    return {broadcast_sender<T>(state), broadcast_receiver<T>(state)};
  }
};

}  // namespace detail

/// A channel that keeps the last `capacity` messages, at least 1, else std::invalid_argument is thrown. T is copied for
/// each receiver. `name` is shown by dump_tasks() and outlives the channel: usually a literal.
template <detail::broadcast_type T>
std::pair<broadcast_sender<T>, broadcast_receiver<T>> broadcast_channel(std::size_t capacity, const char* name) {
  static_assert(
      detail::fits_a_frame<T>,
      "broadcast_channel: a message that is aligned to more than 16 bytes cannot be received in a coroutine, "
      "whose frame is not; send a std::shared_ptr to it");
  if (capacity == 0) detail::throw_invalid_argument("broadcast_channel: a capacity of 0");
  return detail::broadcast_ends::of<T>(capacity, name);
}

}  // namespace astd
