// channel<T>(capacity): a queue between tasks. Any number of senders, any number of receivers; each message reaches one
// receiver.
//
//   auto [tx, rx] = astd::channel<std::string>(16);
//   co_await tx.send("hello");               // waits while 16 messages lie there
//   auto message = co_await rx.recv();       // std::optional: empty when the channel is closed, and drained
//
// A message is lost nowhere: what was not sent is left in the caller's variable; what was handed to a receiver is given
// to him, be he cancelled or out of time; and what lies there when the channel is closed can be received.
#pragma once

#include <astd/base/assert.hpp>
#include <astd/channel/channel_awaiters.hpp>
#include <astd/channel/channel_error.hpp>
#include <astd/channel/channel_state.hpp>
#include <astd/sync/wait_on_thread.hpp>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace astd {

template <class T>
class sender;
template <class T>
class receiver;
template <class T>
class weak_sender;
template <class T>
class weak_receiver;

namespace detail {
struct channel_ends;
}

/// T is an object that can be moved.
template <detail::message_type T>
[[nodiscard]] std::pair<sender<T>, receiver<T>> channel(std::size_t capacity, const char* name = nullptr);
template <detail::message_type T>
[[nodiscard]] std::pair<sender<T>, receiver<T>> unbounded_channel(const char* name = nullptr);

/// Places in a channel that are kept for its holder: sending into one never waits. What is left of them when it is
/// destroyed is given back, and who waits for places gets them. A receiver that has seen the channel closed waits until
/// the last permit is used or gone. Move-only; used by one task at a time; may outlive the senders.
template <class T>
class [[nodiscard]] permit {
 public:
  /// Stands for no place.
  permit() noexcept = default;
  permit(permit&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)), places_(std::exchange(other.places_, 0)) {}
  permit& operator=(permit&& other) noexcept {
    permit(std::move(other)).swap(*this);
    return *this;
  }
  ~permit() {
    if (!state_) return;
    if (places_ != 0) state_->give_back(places_);
    state_->drop_reference();
  }
  void swap(permit& other) noexcept {
    std::swap(state_, other.state_);
    std::swap(places_, other.places_);
  }

  /// Uses one place up; there must be one. Fails, and leaves `message` as it is, if every receiver is gone
  /// (channel_errc::closed; close() alone does not matter), or, in an unbounded channel, if there is no memory.
  [[nodiscard]] std::expected<void, std::error_code> send(T&& message) {
    detail::packed<T> m(message);
    return send_packed(m);
  }
  [[nodiscard]] std::expected<void, std::error_code> send(const T& message) {
    T copy(message);
    return send(std::move(copy));
  }
  /// How many places are left.
  [[nodiscard]] std::size_t size() const noexcept { return places_; }
  explicit operator bool() const noexcept { return places_ != 0; }

 private:
  template <class U>
  friend class detail::reserve_awaiter;
  friend sender<T>;
  // Takes over places that are kept already.
  permit(detail::channel_state<T>& state, std::size_t places) noexcept : state_(&state), places_(places) {
    state.add_reference();
  }
  std::expected<void, std::error_code> send_packed(detail::packed<T>& m) {
    ASTD_ASSERT(places_ != 0, "a permit was used more often than it has places");
    const detail::sent how = state_->send_kept(m.message());
    if (how != detail::sent::yes) return std::unexpected(detail::why_not(how));
    --places_;
    return {};
  }

  detail::channel_state<T>* state_ = nullptr;
  std::size_t places_ = 0;
};

/// What senders and receivers have in common.
template <class T>
class channel_handle {
 public:
  /// Closes the channel for all: sends fail, what lies there can still be received, and who waits is woken. True for the
  /// one call that did it. It is closed, too, when the last sender or the last receiver is gone; with the last receiver,
  /// the messages that lie there are destroyed.
  bool close() const noexcept { return state().close(); }
  [[nodiscard]] bool is_closed() const noexcept { return state().is_closed(); }
  /// Ends when the channel is closed, by whomever.
  [[nodiscard]] auto closed() const noexcept {
    return detail::change_awaitable(state().closing(), "the end of channel");
  }

  // How things stood at some moment during the call.
  [[nodiscard]] std::size_t size() const noexcept { return state().size(); }
  /// Nothing if it is unbounded.
  [[nodiscard]] std::optional<std::size_t> capacity() const noexcept {
    if (state().capacity() == detail::channel_core::unlimited) return std::nullopt;
    return static_cast<std::size_t>(state().capacity());
  }
  [[nodiscard]] bool is_empty() const noexcept { return size() == 0; }
  /// No place is free: those that permits stand for are not.
  [[nodiscard]] bool is_full() const noexcept { return state().is_full(); }
  [[nodiscard]] std::size_t sender_count() const noexcept { return state().sender_count(); }
  [[nodiscard]] std::size_t receiver_count() const noexcept { return state().receiver_count(); }
  template <class Other>
    requires std::derived_from<Other, channel_handle>
  [[nodiscard]] bool same_channel(const Other& other) const noexcept {
    return state_ == other.state_;
  }

 protected:
  explicit channel_handle(detail::channel_state<T>* state) noexcept : state_(state) {}
  [[nodiscard]] detail::channel_state<T>& state() const noexcept {
    ASTD_ASSERT(state_, "a sender or receiver was used after it was moved from");
    return *state_;
  }
  detail::channel_state<T>* state_;
};

/// The end that messages are put into. Copies are further senders of the same channel; when the last one is gone the
/// channel is closed. Any member may be called on any thread; a handle outlives the awaits of its operations. What was
/// moved from can only be destroyed or assigned to.
///
/// Moving a message, and destroying what it was moved from, happens under the channel's lock and does not use the channel.
///
/// Messages of one sender, sent one after the other, are received in that order. Senders that wait for a place get one
/// in the order in which they came. A send that need not wait does not suspend, takes a lock for some ten instructions,
/// and allocates nothing (an unbounded channel grows by blocks of up to 64 messages); after a thousand in a row it lets
/// other tasks run.
template <class T>
class sender : public channel_handle<T> {
 public:
  using value_type = T;
  sender(const sender& other) noexcept : channel_handle<T>(other.state_) {
    if (this->state_) this->state_->add_sender();
  }
  sender(sender&& other) noexcept : channel_handle<T>(std::exchange(other.state_, nullptr)) {}
  sender& operator=(sender other) noexcept {
    std::swap(this->state_, other.state_);
    return *this;
  }
  ~sender() {
    if (this->state_) this->state_->drop_sender();
  }

  /// Sends `message` as soon as there is a place. Fails with channel_errc::closed if the channel is closed before, and
  /// with std::errc::not_enough_memory if an unbounded one cannot grow.
  ///
  /// `message` is moved from only when it is sent: if the send fails, is cancelled or runs out of time, it is as it was.
  /// So a variable that is given with std::move must live until the await has ended; a temporary does, in the statement
  /// that awaits it. A message that is trivially copyable, or is given as an lvalue, is copied at once.
  [[nodiscard]] auto send(T&& message) const {
    if constexpr (std::is_trivially_copyable_v<T>)
      return detail::send_awaitable<T, T>(this->state(), std::move(message));
    else
      return detail::send_awaitable<T, T&&>(this->state(), std::move(message));
  }
  [[nodiscard]] auto send(const T& message) const {
    return detail::send_awaitable<T, T>(this->state(), T(message));
  }
  /// Sends now, or fails: channel_errc::full, closed, or not_enough_memory; then `message` is as it was.
  [[nodiscard]] std::expected<void, std::error_code> try_send(T&& message) const {
    detail::packed<T> m(message);
    const detail::sent how = this->state().try_send(m.message());
    if (how == detail::sent::yes) return {};
    return std::unexpected(detail::why_not(how));
  }
  [[nodiscard]] std::expected<void, std::error_code> try_send(const T& message) const {
    T copy(message);
    return try_send(std::move(copy));
  }
  /// As send(), for plain threads: blocks the thread and throws what awaiting would throw. Needs no runtime.
  void send_blocking(T&& message) const { detail::wait_on_thread(send(std::move(message))); }
  void send_blocking(const T& message) const { detail::wait_on_thread(send(message)); }

  /// Sends all of `messages`, in their order, as places come free; other senders' messages may come between. A message
  /// that was sent is moved from, and `messages` shrinks to what is left: nothing, unless it fails (as send()) or is
  /// cancelled. `messages` and what it refers to outlive the await.
  [[nodiscard]] auto send_many(std::span<T>& messages) const {
    static_assert(!detail::is_boxed_message<T>, "send_many: moving a message must not throw");
    return detail::send_many_awaitable<T>(this->state(), messages);
  }

  /// Waits for a place and keeps it: gives a permit. Waits in the same line as send(). Fails with channel_errc::closed.
  [[nodiscard]] auto reserve() const { return reserve_many(1); }
  /// The same for `n` places at once; throws std::invalid_argument if the channel has fewer.
  [[nodiscard]] auto reserve_many(std::size_t n) const {
    if (n > this->state().capacity())
      detail::throw_invalid_argument("reserve_many: more places than the channel has");
    return detail::reserve_awaitable<T>(this->state(), n);
  }
  /// A permit now, or channel_errc::full or closed.
  [[nodiscard]] std::expected<permit<T>, std::error_code> try_reserve(std::size_t n = 1) const noexcept {
    const detail::sent how = this->state().try_keep(n);
    if (how == detail::sent::yes) return permit<T>(this->state(), n);
    return std::unexpected(detail::why_not(how));
  }

  /// A handle that does not keep the channel open.
  [[nodiscard]] weak_sender<T> downgrade() const noexcept { return weak_sender<T>(this->state()); }

 private:
  friend weak_sender<T>;
  friend detail::channel_ends;
  explicit sender(detail::channel_state<T>* state) noexcept : channel_handle<T>(state) {}
};

/// The end that messages come out of; a stream. Copies are further receivers, and each message reaches one of them; when
/// the last is gone the channel is closed, and what lies there is destroyed. Any member may be called on any thread; a
/// handle outlives the awaits of its operations. What was moved from can only be destroyed or assigned to.
///
/// Receivers that wait are given messages in the order in which they came, and a message goes straight into the frame of
/// who waits for it. As with send(), what is there is received without suspending.
template <class T>
class receiver : public channel_handle<T> {
 public:
  using value_type = T;
  receiver(const receiver& other) noexcept : channel_handle<T>(other.state_) {
    if (this->state_) this->state_->add_receiver();
  }
  receiver(receiver&& other) noexcept : channel_handle<T>(std::exchange(other.state_, nullptr)) {}
  receiver& operator=(receiver other) noexcept {
    std::swap(this->state_, other.state_);
    return *this;
  }
  ~receiver() {
    if (this->state_) this->state_->drop_receiver();
  }

  /// The next message as a std::optional; empty when the channel is closed and drained. Cancelled, it takes no message;
  /// one that was handed over by then is given, and the task stops at its next suspension. In select() and timeout() none
  /// is lost, either; race() throws away what its losers have got.
  [[nodiscard]] auto recv() const noexcept { return detail::recv_awaitable<T>(this->state()); }
  /// The same: what a stream has.
  [[nodiscard]] auto next() const noexcept { return recv(); }
  /// The next message if it is there, else channel_errc::empty; closed if none will come any more.
  [[nodiscard]] std::expected<T, std::error_code> try_recv() const {
    std::optional<detail::message_of<T>> m;
    if (this->state().try_receive(m)) return detail::unpacked<T>(*m);
    return std::unexpected(make_error_code(this->state().is_over() ? channel_errc::closed : channel_errc::empty));
  }
  /// Waits until there is a message, or the channel is closed and drained, and takes nothing: behind it try_recv() has one,
  /// if no other receiver was quicker. Those that wait in recv() are: messages go straight to them.
  [[nodiscard]] auto readable() const noexcept { return detail::readable_awaitable<T>(this->state()); }
  /// Waits for a message, then appends those that are there to `to`, at most `limit`. Gives their number: 0 when the
  /// channel is closed and drained, or `limit` is 0. `to` outlives the await; nothing is lost if it cannot grow.
  [[nodiscard]] auto recv_many(std::vector<T>& to, std::size_t limit) const noexcept {
    return detail::recv_many_awaitable<T>(this->state(), to, limit);
  }
  /// As recv(), for plain threads: blocks the thread, needs no runtime.
  std::optional<T> recv_blocking() const { return detail::wait_on_thread(recv()); }

  /// A handle that does not keep the channel open.
  [[nodiscard]] weak_receiver<T> downgrade() const noexcept { return weak_receiver<T>(this->state()); }

 private:
  friend weak_receiver<T>;
  friend detail::channel_ends;
  explicit receiver(detail::channel_state<T>* state) noexcept : channel_handle<T>(state) {}
};

namespace detail {

/// Keeps a channel's memory, and nothing else.
template <class T>
class weak_channel_handle {
 public:
  explicit weak_channel_handle(channel_state<T>& state) noexcept : state_(&state) { state.add_reference(); }
  weak_channel_handle(const weak_channel_handle& other) noexcept : state_(other.state_) {
    if (state_) state_->add_reference();
  }
  weak_channel_handle(weak_channel_handle&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  weak_channel_handle& operator=(weak_channel_handle other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~weak_channel_handle() {
    if (state_) state_->drop_reference();
  }

 protected:
  channel_state<T>* state_;
};

}  // namespace detail

/// Refers to a channel without being one of its senders.
template <class T>
class weak_sender : private detail::weak_channel_handle<T> {
 public:
  /// A sender, unless the channel is closed.
  [[nodiscard]] std::optional<sender<T>> upgrade() const noexcept {
    if (!this->state_ || !this->state_->upgrade_sender()) return std::nullopt;
    return sender<T>(this->state_);
  }

 private:
  friend sender<T>;
  using detail::weak_channel_handle<T>::weak_channel_handle;
};

/// Refers to a channel without being one of its receivers.
template <class T>
class weak_receiver : private detail::weak_channel_handle<T> {
 public:
  /// A receiver, unless the channel is closed.
  [[nodiscard]] std::optional<receiver<T>> upgrade() const noexcept {
    if (!this->state_ || !this->state_->upgrade_receiver()) return std::nullopt;
    return receiver<T>(this->state_);
  }

 private:
  friend receiver<T>;
  using detail::weak_channel_handle<T>::weak_channel_handle;
};

namespace detail {

/// Makes both.
struct channel_ends {
  template <class T>
  static std::pair<sender<T>, receiver<T>> of(std::uint64_t capacity, const char* name) {
    static_assert(
        fits_a_frame<T>,
        "channel: a message that is aligned to more than 16 bytes cannot be received in a coroutine, whose "
        "frame is not; send a std::unique_ptr to it");
    auto* const state = new channel_state<T>(capacity, name);
    return {sender<T>(state), receiver<T>(state)};
  }
};

}  // namespace detail

/// A channel in which at most `capacity` messages lie; memory for them is taken here (the next power of two of them), and
/// never again. `capacity` is at least 1, else std::invalid_argument is thrown: there is no rendezvous, a message always
/// lies somewhere. `name` is shown by dump_tasks() and outlives the channel: usually a literal.
template <detail::message_type T>
std::pair<sender<T>, receiver<T>> channel(std::size_t capacity, const char* name) {
  if (capacity == 0) detail::throw_invalid_argument("channel: a capacity of 0; it takes at least one place");
  return detail::channel_ends::of<T>(capacity, name);
}

/// A channel without a limit: sending never waits. Where senders may be faster than receivers for long, memory is the
/// limit: prefer channel(). Blocks are given back as they are emptied, all but one.
template <detail::message_type T>
std::pair<sender<T>, receiver<T>> unbounded_channel(const char* name) {
  return detail::channel_ends::of<T>(detail::channel_core::unlimited, name);
}

}  // namespace astd
