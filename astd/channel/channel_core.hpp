// What the two ends of a channel share, whatever its messages are: locks, places, who waits, who holds it.
//
// The senders' side and the receivers' side have a lock each, on cache lines of their own, and each keeps what it last
// saw of the other's index: a sender and a receiver that are both busy meet only when one has used up what it knew.
//
//   sending     the senders' lock. Somebody waits for a message: it is moved into his frame, and he is woken. Else it goes
//               behind the last, if there is a place.
//   receiving   the receivers' lock. The first message is moved out. Only if senders wait, their lock as well: the first
//               of them gets the place.
//   waiting     both locks, the receivers' first; so who waits has seen that there is nothing for him, and who changes
//               that has one of the locks and sees him: no fence, no flag that could be missed. A receiver that sees
//               that all was taken has no need of the receivers' lock.
//
// While a receiver waits there is no message, and while a sender waits no place that he could have: nobody overtakes.
// Who only looks (readable()) has a line of his own: all of it is told of every message that is put there.
// What is handed over has arrived: a waiter that is cancelled afterwards gives it all the same.
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/base/config.hpp>
#include <astd/base/intrusive_list.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/channel/change.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/sync/wait_queue.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace astd::detail {

class channel_core;

/// One who waits in a channel: lives in the awaiting frame.
class channel_waiter : public suspension, public list_node {
 public:
  void request_stop() noexcept final;

 protected:
  enum class side : std::uint8_t { sends, receives, looks };
  channel_waiter(channel_core& core, side s) noexcept : core_(&core), side_(s) {}
  ~channel_waiter() = default;

  enum class progress : std::uint8_t { none, some, done };
  /// With both locks: does what it is here for, as far as the channel's state allows. `first`: nobody is before it. Who is
  /// let through by that goes into `out`. After `some`, others may have the locks before it goes on.
  virtual progress proceed(bool first, intrusive_list<channel_waiter>& out) noexcept = 0;

  /// To be called in await_ready() now and then, when it has succeeded. False: others are to run first, and start() sees
  /// to it.
  [[nodiscard]] bool has_time() noexcept;
  /// What start() returns.
  [[nodiscard]] resumable* wait(const await_context& c) noexcept;
  [[nodiscard]] bool found_closed() const noexcept { return found_closed_; }
  void set_found_closed() noexcept { found_closed_ = true; }
  void describe_as(std::string& out, const char* what) const;

 private:
  friend class channel_core;
  enum class place : std::uint8_t { outside, in_line, admitted, refused };
  resumable* go_on(bool out_of_time) noexcept;
  static void go_on_later(resumable* r);
  channel_core* core_;
  side side_;
  place place_ = place::outside;  // guarded by both locks, or that of the senders unless it sends
  bool out_of_time_ = false;
  bool found_closed_ = false;
};

class channel_core {
 public:
  using waiters = intrusive_list<channel_waiter>;
  static constexpr std::uint64_t unlimited = ~std::uint64_t(0) >> 1;

  channel_core(const channel_core&) = delete;
  channel_core& operator=(const channel_core&) = delete;

  // ---- who holds it
  // Senders and receivers count by themselves; all senders together hold one reference, and so do all receivers, each
  // weak handle, and each permit.
  void add_reference() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void drop_reference() noexcept {
    // acq_rel: the last one frees what all others have used.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  void add_sender() noexcept { senders_.fetch_add(1, std::memory_order_relaxed); }
  void drop_sender() noexcept;
  void add_receiver() noexcept { receivers_.fetch_add(1, std::memory_order_relaxed); }
  void drop_receiver() noexcept;
  /// From a weak handle: false if the channel is closed or there is none of its kind.
  [[nodiscard]] bool upgrade_sender() noexcept { return upgrade(senders_); }
  [[nodiscard]] bool upgrade_receiver() noexcept { return upgrade(receivers_); }
  [[nodiscard]] std::size_t sender_count() const noexcept { return senders_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t receiver_count() const noexcept { return receivers_.load(std::memory_order_relaxed); }

  // ---- fairness: others are looked after before an operation, and not behind it, so that who is to stop stops with
  // nothing in its hands. Asking takes longer than one message: before every eighth, and behind one that was handed over,
  // by which somebody else may go on. Hints, without a lock.
  [[nodiscard]] bool is_time_to_ask_senders() const noexcept {
    return back_.load(std::memory_order_relaxed) % 8 == 0 || handed_over_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool is_time_to_ask_receivers() const noexcept {
    return front_.load(std::memory_order_relaxed) % 8 == 0;
  }

  // ---- what it is like: true at some moment during the call
  [[nodiscard]] bool is_closed() const noexcept { return closed_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] std::uint64_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bool is_full() const noexcept { return free_places() == 0; }
  [[nodiscard]] std::uint64_t free_places() const noexcept;
  [[nodiscard]] const char* name() const noexcept { return name_; }
  /// Changes once, when the channel is closed.
  [[nodiscard]] wait_queue& closing() noexcept { return closing_; }

  /// True for the one who did it.
  bool close() noexcept;
  /// `n` places that were kept are free again.
  void give_back(std::uint64_t n) noexcept;

  /// Resumes those who were let through. No lock is held.
  static void wake(waiters& out) noexcept;

 protected:
  channel_core(std::uint64_t capacity, std::uint64_t mask, const char* name) noexcept;
  virtual ~channel_core() = default;
  /// No receiver is left: destroys what is queued.
  virtual void discard_all() noexcept = 0;

  // ---- the senders' side, with their lock
  /// Whether a place is free.
  [[nodiscard]] bool has_place() noexcept {
    const std::uint64_t used = back_.load(std::memory_order_relaxed) + kept_;
    if (used - known_front_ < capacity_) [[likely]]
      return true;
    // acquire: the receiver has moved the message out before.
    known_front_ = front_.load(std::memory_order_acquire);
    return used - known_front_ < capacity_;
  }
  [[nodiscard]] bool closed() const noexcept { return closed_.load(std::memory_order_relaxed); }
  /// The first who waits for a message is given one, by the caller.
  channel_waiter& take_first_receiver() noexcept {
    channel_waiter& first = *waiting_receivers_.pop_front();
    first.place_ = channel_waiter::place::admitted;
    return first;
  }
  static void wake_receiver(channel_waiter& w) noexcept { w.complete(false); }
  static void admit_all(waiters& from, waiters& out) noexcept;
  void set_handed_over(bool yes) noexcept {
    if (handed_over_.load(std::memory_order_relaxed) != yes) handed_over_.store(yes, std::memory_order_relaxed);
  }

  // ---- the receivers' side, with their lock
  [[nodiscard]] bool has_message() noexcept {
    const std::uint64_t front = front_.load(std::memory_order_relaxed);
    if (front != known_back_.load(std::memory_order_relaxed)) [[likely]]
      return true;
    // acquire: the sender has put the message there before.
    const std::uint64_t back = back_.load(std::memory_order_acquire);
    known_back_.store(back, std::memory_order_relaxed);
    return front != back;
  }
  /// Messages were taken out: the places are free. Gives them to who waits for them. Releases the lock.
  void pass_on_places(std::uint64_t front) noexcept;

  /// Without a lock: whether a look is worth it. What is known already is looked at first, and is on this side's line.
  [[nodiscard]] bool seems_empty() const noexcept {
    const std::uint64_t front = front_.load(std::memory_order_relaxed);
    return front == known_back_.load(std::memory_order_relaxed) && front == back_.load(std::memory_order_relaxed);
  }

  /// Lines up for a message. Needs the senders' lock alone: if the two indices are the same, there is none. False if
  /// there may be one, or the end.
  [[nodiscard]] bool line_up(channel_waiter& w) noexcept;

  // ---- with both
  /// Lets through whoever need not wait any more, after a place was used or given back.
  void settle(waiters& out) noexcept {
    if (crowded_) admit_senders(out);
    if (ended()) admit_all_for_messages(out);
  }
  void admit_all_for_messages(waiters& out) noexcept {
    admit_all(waiting_receivers_, out);
    admit_all(looking_, out);
  }
  /// Whether there will be no message but those that are there.
  [[nodiscard]] bool ended() const noexcept { return closed() && kept_ == 0; }

 private:
  friend class channel_waiter;
  [[nodiscard]] bool upgrade(atomic<std::size_t>& count) noexcept;
  void admit_senders(waiters& out) noexcept;
  waiters& line_of(const channel_waiter& w) noexcept;

  // Never changed. Here, as all is that both sides look at for each message: what a derived class adds lies behind the
  // receivers' words, in their line.
 protected:
  const std::uint64_t capacity_;
  const std::uint64_t mask_;  // of an index: the place in the ring, or in a block

 private:
  const char* const name_;
  // Seldom changed.
  atomic<std::size_t> references_{2};
  atomic<std::size_t> senders_{1};
  atomic<std::size_t> receivers_{1};
  wait_queue closing_;

 protected:
  // The senders'.
  alignas(cache_line_pair) spin_lock senders_lock_;
  atomic<bool> closed_{false};          // written with both locks
  bool abandoned_ = false;              // there is no receiver any more
  bool crowded_ = false;                // senders wait; written with both locks
  atomic<bool> handed_over_{false};     // the last message went to one who waited
  atomic<std::uint64_t> back_{0};       // where the next message goes: counts for ever
  std::uint64_t known_front_ = 0;       // front_, as last seen
  std::uint64_t kept_ = 0;              // places that permits stand for
  void* back_block_ = nullptr;          // where messages are put
  atomic<void*> spare_block_{nullptr};  // left by the receivers
  waiters waiting_receivers_;
  waiters looking_;  // until there is a message, which they do not take

  // The receivers'.
  alignas(cache_line_pair) spin_lock receivers_lock_;
  atomic<std::uint64_t> front_{0};       // where the next message is; written with the senders' lock if some wait
  atomic<std::uint64_t> known_back_{0};  // back_, as last seen
  void* front_block_ = nullptr;          // where messages are taken from
  waiters waiting_senders_;              // entered and left with both locks
};

/// Both locks, in the order in which they are always taken.
class channel_guard {
 public:
  explicit channel_guard(spin_lock& receivers, spin_lock& senders) noexcept
      : receivers_(receivers), senders_(senders) {
    receivers_.lock();
    senders_.lock();
  }
  ~channel_guard() {
    receivers_.unlock();
    // Last: who wakes one that has just begun to wait needs this lock, and then the channel may be gone.
    senders_.unlock();
  }
  channel_guard(const channel_guard&) = delete;
  channel_guard& operator=(const channel_guard&) = delete;

 private:
  spin_lock& receivers_;
  spin_lock& senders_;
};

}  // namespace astd::detail
