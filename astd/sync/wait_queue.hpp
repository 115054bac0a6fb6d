// What everything that waits is built on: a word of state, and the tasks that wait for it to change. A futex for tasks,
// with the list of waiters beside the word and not in a kernel.
//
//   fast     one compare-exchange of the word from a value without flags to another: nobody waits, nobody is concerned
//   slow     lock(): the list and the word are the caller's alone until unlock(). Whoever changes the state lets the
//            waiters at the front through that it admits now, and wakes them when the list is unlocked.
//
// A waiter lives in the awaiting frame: waiting takes no allocation. Waiters are admitted in the order of their arrival,
// and a newcomer does not overtake them: what is released is handed to the first in line, who owns it from then on. One
// that is cancelled leaves the line at once if it has not been admitted; if it has, it ends with what it was given, and
// its task, which is to stop, passes that on by the destructor of whatever it stands for. So nothing is lost, and nobody
// is woken in vain.
//
// The list's lock is a bit of the word, so that one store both changes the state and lets go: the last thing a release
// touches is the word, and whoever sees it may destroy the whole.
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/base/intrusive_list.hpp>
#include <astd/coro/chain.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace astd::detail {

class waiter;

class wait_queue {
 public:
  /// The primitive's state is a multiple of `one`; the bits below are the flags.
  using word = std::uint64_t;
  static constexpr word busy = 1;     // somebody has the list
  static constexpr word waiting = 2;  // it is not empty
  static constexpr word flags = busy | waiting;
  static constexpr word one = 4;

  /// `name`: for dumps; null or a text that outlives this.
  explicit constexpr wait_queue(word state = 0, const char* name = nullptr) noexcept : word_(state), name_(name) {}
  wait_queue(const wait_queue&) = delete;
  wait_queue& operator=(const wait_queue&) = delete;

  /// For fast paths: may be changed by a compare-exchange from a value without flags to another without flags.
  [[nodiscard]] atomic<word>& state() noexcept { return word_; }
  [[nodiscard]] const atomic<word>& state() const noexcept { return word_; }
  [[nodiscard]] const char* name() const noexcept { return name_; }

  /// One fast path: true if the word was `from` and is `to` now.
  bool change(word from, word to, std::memory_order order) noexcept {
    return word_.compare_exchange_strong(from, to, order, std::memory_order_relaxed);
  }

  /// For who does not wait: `f(word&)` takes its part of the state, or says that it cannot have it. False then, and if
  /// others wait for theirs; that somebody has the list at this moment is no reason. acquire, if it was taken.
  template <class F>
  [[nodiscard]] bool try_take(F f) noexcept {
    word seen = word_.load(std::memory_order_relaxed);
    while (!(seen & flags)) {
      word left = seen;
      if (!f(left)) return false;
      if (word_.compare_exchange_weak(seen, left, std::memory_order_acquire, std::memory_order_relaxed))
        return true;
    }
    if (!(seen & busy)) return false;
    word state = lock();
    const bool taken = empty() && f(state);
    unlock(state);
    return taken;
  }

  /// Waits until the list is free and takes it. Returns the state, without flags. acquire.
  [[nodiscard]] word lock() noexcept {
    word state;
    return try_lock(state) ? state : lock_slowly();
  }
  /// Gives it back with this state. release. The last touch.
  void unlock(word state) noexcept {
    word_.store(state | (waiters_.empty() ? 0 : waiting), std::memory_order_release);
  }

  /// Those who have been let through and are yet to be woken.
  using admitted = intrusive_list<waiter>;
  // While it is locked:
  [[nodiscard]] bool empty() const noexcept { return waiters_.empty(); }
  [[nodiscard]] waiter* front() noexcept { return waiters_.front(); }
  [[nodiscard]] waiter* back() noexcept;
  /// Lets waiters through from the front, as long as the state admits them; returns what is left of it.
  [[nodiscard]] word admit(word state, admitted& out) noexcept;
  /// The same without asking the state: one that is in line, the first, or all.
  void admit_one(waiter& w, admitted& out) noexcept;
  bool admit_first(admitted& out) noexcept;
  void admit_all(admitted& out) noexcept;

  /// Resumes them, in the order of their arrival, when the queue is unlocked; nothing of the queue is touched.
  static void wake(admitted& out) noexcept;

  /// A slow path: `f(state)` gives the new state, and whoever that admits is woken.
  template <class F>
  void update(F f) noexcept {
    admitted out;
    const word state = admit(f(lock()), out);
    unlock(state);
    wake(out);
  }

 private:
  friend class waiter;
  bool try_lock(word& state) noexcept {
    word seen = word_.load(std::memory_order_relaxed);
    // acquire: what was done to the list and the state by those before us.
    if ((seen & busy) ||
        !word_.compare_exchange_weak(seen, seen | busy, std::memory_order_acquire, std::memory_order_relaxed))
      return false;
    state = seen & ~flags;
    return true;
  }
  word lock_slowly() noexcept;

  atomic<word> word_;
  intrusive_list<waiter> waiters_;
  const char* const name_;
};

/// One who waits. Its awaiter calls wait() in start(), and takes what admit() has reserved for it in take().
class waiter : public suspension, public list_node {
 public:
  /// Leaves the line. To be overridden by who can be elsewhere than in line.
  void request_stop() noexcept override;

 protected:
  explicit waiter(wait_queue& queue) noexcept : queue_(&queue) {}
  ~waiter() = default;

  /// Under the list's lock: whether `state` lets it through; if so, takes its part of the state. Whatever else it is
  /// given is put into it here, or by who calls admit_first().
  virtual bool admit(wait_queue::word& state) noexcept = 0;

  enum class turn : std::uint8_t {
    last,     // it is admitted behind all who wait, and lines up behind them
    at_once,  // it is admitted though others wait; lines up behind them
    first,    // it is admitted though others wait; lines up before them
  };
  /// Waits in line. What to go on with, or null.
  [[nodiscard]] resumable* wait(const await_context& c, turn t = turn::last) noexcept;
  /// The same for one that waits already, elsewhere (it is published). When it is let through it ends, as a stop if
  /// `stopped`.
  void wait_further(bool stopped) noexcept;
  [[nodiscard]] wait_queue& queue() const noexcept { return *queue_; }
  /// "lock of mutex 'names'".
  void describe_as(std::string& out, std::string_view what) const;

 private:
  friend class wait_queue;
  enum class place : std::uint8_t { outside, in_line, admitted, refused };

  wait_queue* queue_;
  place place_ = place::outside;  // guarded by the list's lock
  bool ends_stopped_ = false;     // once it is admitted
};

}  // namespace astd::detail
