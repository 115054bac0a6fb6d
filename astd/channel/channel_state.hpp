// The messages of a channel: a ring if their number is limited, else blocks in a row.
#pragma once

#include <astd/channel/channel_core.hpp>
#include <astd/channel/message.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace astd::detail {

enum class sent : std::uint8_t { yes, full, closed, no_memory };

template <class T>
class receiving_waiter;

/// The most messages that are moved before a lock is let go of for others.
inline constexpr std::size_t messages_at_once = 32;

template <class T>
class channel_state final : public channel_core {
 public:
  using message = message_of<T>;

  channel_state(std::uint64_t capacity, const char* name)
      : channel_core(capacity, (capacity == unlimited ? block_size : ring_size(capacity)) - 1, name) {
    static_assert(sizeof(channel_state) == sizeof(channel_core), "it would lie in the receivers' line");
    back_block_ = front_block_ = capacity == unlimited ? static_cast<void*>(new block) : new_ring();
  }
  ~channel_state() override {
    discard_all();
    if (capacity_ != unlimited) {
      ::operator delete(front_block_, std::align_val_t(alignof(message)));
      return;
    }
    for (auto* b = static_cast<block*>(front_block_); b;) delete std::exchange(b, b->next);
    delete static_cast<block*>(spare_block_.load(std::memory_order_relaxed));
  }

  // ---- without a lock
  /// `m` is moved from if it was sent.
  [[nodiscard]] sent try_send(message& m) noexcept {
    senders_lock_.lock();
    if (closed()) return unlock_senders(sent::closed);
    if (!waiting_receivers_.empty()) {
      channel_waiter& first = hand_over(m);
      set_handed_over(true);
      senders_lock_.unlock();
      wake_receiver(first);
      return sent::yes;
    }
    set_handed_over(false);
    const sent how = crowded_ || !has_place() ? sent::full : put(m);
    if (how != sent::yes || looking_.empty()) [[likely]]
      return unlock_senders(how);
    waiters out;
    admit_all(looking_, out);
    senders_lock_.unlock();
    wake(out);
    return how;
  }

  /// `to` is empty.
  [[nodiscard]] bool try_receive(std::optional<message>& to) noexcept {
    if (seems_empty()) return false;
    receivers_lock_.lock();
    if (!has_message()) {
      receivers_lock_.unlock();
      return false;
    }
    pass_on_places(take(to));
    return true;
  }
  /// As many as there are, up to `limit`, by give(message&&), which does not fail. Others come in between.
  template <class Give>
  std::size_t receive_some(std::size_t limit, Give give) noexcept {
    std::size_t n = 0;
    while (n != limit && !seems_empty()) {
      receivers_lock_.lock();
      std::uint64_t front = front_.load(std::memory_order_relaxed);
      const std::uint64_t back = back_.load(std::memory_order_acquire);
      known_back_.store(back, std::memory_order_relaxed);
      const auto end = n + std::min({limit - n, messages_at_once, static_cast<std::size_t>(back - front)});
      for (; n != end; ++n, ++front) {
        message& m = message_at(front);
        give(std::move(m));
        std::destroy_at(std::addressof(m));
      }
      pass_on_places(front);
    }
    return n;
  }
  /// Whether a look is worth it.
  [[nodiscard]] bool may_have_message() const noexcept { return !seems_empty(); }
  /// Whether there never will be a message again.
  [[nodiscard]] bool is_over() noexcept {
    if (!is_closed()) return false;
    channel_guard guard(receivers_lock_, senders_lock_);
    return !has_message() && ended();
  }

  [[nodiscard]] sent try_keep(std::uint64_t n) noexcept {
    const spin_guard guard(senders_lock_);
    if (closed()) return sent::closed;
    if (crowded_ || !has_places(n)) return sent::full;
    kept_ += n;
    return sent::yes;
  }
  /// With a place that was kept; it is used up if the message was sent.
  [[nodiscard]] sent send_kept(message& m) noexcept {
    waiters out;
    sent how;
    {
      channel_guard guard(receivers_lock_, senders_lock_);
      if (abandoned_) return sent::closed;
      --kept_;
      how = sent::yes;
      if (!waiting_receivers_.empty())
        out.push_back(hand_over(m));
      else
        how = put(m, out);
      if (how != sent::yes) ++kept_;
      // The place may not have been needed; and there may be no other message to come.
      settle(out);
    }
    wake(out);
    return how;
  }

  // ---- with both locks
  [[nodiscard]] sent send_in_line(message& m, bool first, waiters& out) noexcept {
    if (closed()) return sent::closed;
    if (!waiting_receivers_.empty()) {
      out.push_back(hand_over(m));
      return sent::yes;
    }
    return first && has_place() ? put(m, out) : sent::full;
  }
  [[nodiscard]] bool keep_in_line(std::uint64_t n, bool first) noexcept {
    if (!first || !has_places(n)) return false;
    kept_ += n;
    return true;
  }
  [[nodiscard]] bool receive_in_line(std::optional<message>& to, bool first) noexcept {
    if (!first || !has_message()) return false;
    front_.store(take(to), std::memory_order_release);
    return true;
  }
  using channel_core::closed;
  using channel_core::ended;
  using channel_core::has_message;

 private:
  static constexpr std::size_t block_size =
      std::bit_floor(std::size_t(sizeof(message) >= 256        ? 4
                                 : 1024 / sizeof(message) > 64 ? 64
                                                               : 1024 / sizeof(message)));
  struct block {
    block() noexcept {}
    ~block() {}
    union {
      message messages[block_size];  // first: a block's address is its first message's
    };
    block* next = nullptr;
  };

  static std::uint64_t ring_size(std::uint64_t capacity) {
    if (capacity > (std::uint64_t(1) << 40)) throw_bad_alloc();
    return std::bit_ceil(capacity);
  }
  [[noreturn]] static void throw_bad_alloc() {
#if ASTD_HAS_EXCEPTIONS
    throw std::bad_alloc();
#else
    std::terminate();
#endif
  }
  void* new_ring() const {
    if (mask_ + 1 > std::numeric_limits<std::size_t>::max() / 2 / sizeof(message)) throw_bad_alloc();
    return ::operator new((mask_ + 1) * sizeof(message), std::align_val_t(alignof(message)));
  }

  sent unlock_senders(sent how) noexcept {
    senders_lock_.unlock();
    return how;
  }
  [[nodiscard]] bool has_places(std::uint64_t n) noexcept {
    known_front_ = front_.load(std::memory_order_acquire);
    return capacity_ - (back_.load(std::memory_order_relaxed) + kept_ - known_front_) >= n;
  }
  channel_waiter& hand_over(message& m) noexcept;

  // Behind the last; there is a place.
  sent put(message& m) noexcept {
    const std::uint64_t at = back_.load(std::memory_order_relaxed);
    if ((at & mask_) == 0 && capacity_ == unlimited && at != 0) [[unlikely]]
      if (!add_block()) return sent::no_memory;
    std::construct_at(static_cast<message*>(back_block_) + (at & mask_), std::move(m));
    back_.store(at + 1, std::memory_order_release);  // pairs with has_message()
    return sent::yes;
  }
  sent put(message& m, waiters& out) noexcept {
    const sent how = put(m);
    if (how == sent::yes) admit_all(looking_, out);
    return how;
  }
  ASTD_NOINLINE bool add_block() noexcept {
    auto* b = static_cast<block*>(spare_block_.exchange(nullptr, std::memory_order_acquire));
    if (!b) b = new (std::nothrow) block;
    if (!b) return false;
    b->next = nullptr;
    static_cast<block*>(back_block_)->next = b;  // seen with the message that comes first there
    back_block_ = b;
    return true;
  }

  // The one at `front`; once for each.
  message& message_at(std::uint64_t front) noexcept {
    if ((front & mask_) == 0 && capacity_ == unlimited && front != 0) [[unlikely]]
      leave_block();
    return static_cast<message*>(front_block_)[front & mask_];
  }
  ASTD_NOINLINE void leave_block() noexcept {
    auto* const left = static_cast<block*>(front_block_);
    front_block_ = left->next;
    // release: we are done with it. One is kept.
    delete static_cast<block*>(spare_block_.exchange(left, std::memory_order_acq_rel));
  }
  // Moves the first message out. Returns what `front_` is to become.
  std::uint64_t take(std::optional<message>& to) noexcept {
    const std::uint64_t front = front_.load(std::memory_order_relaxed);
    message& m = message_at(front);
    to.emplace(std::move(m));
    std::destroy_at(std::addressof(m));
    return front + 1;
  }

  void discard_all() noexcept override {
    std::optional<message> gone;
    while (try_receive(gone)) gone.reset();  // without a lock: it may hold a handle of this very channel
  }
};

/// One who waits for a message: it is moved into him.
template <class T>
class receiving_waiter : public channel_waiter {
 protected:
  friend class channel_state<T>;
  explicit receiving_waiter(channel_state<T>& state) noexcept
      : channel_waiter(state, side::receives), state_(state) {}
  ~receiving_waiter() = default;

  channel_state<T>& state_;
  std::optional<message_of<T>> slot_;

 private:
  progress proceed(bool first, intrusive_list<channel_waiter>&) noexcept final {
    return state_.receive_in_line(slot_, first) || state_.ended() ? progress::done : progress::none;
  }
};

template <class T>
channel_waiter& channel_state<T>::hand_over(message& m) noexcept {
  auto& first = static_cast<receiving_waiter<T>&>(take_first_receiver());
  first.slot_.emplace(std::move(m));
  return first;
}

}  // namespace astd::detail
