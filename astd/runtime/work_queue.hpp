// The run queues of a worker: rings of fixed size, filled by their owner, emptied by anyone.
//
//   work_queue<resumable> queue;
//   if (!queue.push(item)) { ... queue.take_oldest_half() goes elsewhere, then push again ... }   // owner
//   resumable* newest = queue.pop();                                                              // owner
//   resumable* oldest = queue.steal();                                                            // anyone
//
// work_queue is a deque after Chase and Lev: the owner takes the newest, others the oldest. In a fifo_queue nobody
// takes the newest, and so half of it can be moved to another worker's queue by a single compare-exchange.
//
// How the indices work. Both only grow, and being 64 bits wide they never come back to an old value (no ABA). Items
// lie at [oldest_, newest_); only the owner writes newest_, and oldest_ moves on by compare-exchange: whoever
// succeeds owns the items that it moved past. A slot is written again only after oldest_ has passed it, so an item
// read too late belongs to a compare-exchange that fails.
//
// Who pushes looks afterwards whether somebody sleeps; who goes to sleep looks afterwards whether something was
// pushed. Not to miss each other, who pushes calls announce(), a sequentially consistent operation, before it reads the
// idle state, and the sleeper sets its idle state by a sequentially consistent read-modify-write before it asks empty(),
// whose loads are sequentially consistent too: one of the two sees the other. push() itself is ten times as cheap, and a
// worker announces only when a glance says so: see worker::push(). There are no stand-alone fences, which
// ThreadSanitizer does not understand.
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/base/config.hpp>

#include <cstddef>
#include <cstdint>

namespace astd::detail {

/// Items taken together, linked through next_ from oldest to newest; the last one's next_ is null.
template <class T>
struct work_chain {
  T* first = nullptr;
  T* last = nullptr;
  std::size_t count = 0;
};

/// What both queues have in common. T has a member `T* next_`, which the queue leaves alone but in
/// take_oldest_half().
template <class T, std::size_t Capacity>
class work_ring {
  static_assert(Capacity >= 2 && (Capacity & (Capacity - 1)) == 0, "a power of two");

 public:
  static constexpr std::size_t capacity = Capacity;

  work_ring() = default;
  work_ring(const work_ring&) = delete;
  work_ring& operator=(const work_ring&) = delete;

  /// Others may take the item at once; before the caller looks at the idle state it calls announce(). Owner only. False:
  /// full.
  bool push(T* item) noexcept {
    const std::uint64_t newest = newest_.load(std::memory_order_relaxed);  // only we write it
    if (newest - known_oldest_ >= Capacity) {
      // acquire pairs with the compare-exchange of whoever took the item in the slot that we are about to write.
      known_oldest_ = oldest_.load(std::memory_order_acquire);
      if (newest - known_oldest_ >= Capacity) return false;
    }
    slot(newest).store(item, std::memory_order_relaxed);
    // release pairs with the loads of newest_ in steal(), steal_half() and empty(), which thereby see the item and what
    // it points to.
    newest_.store(newest + 1, std::memory_order_release);
    return true;
  }
  /// What was pushed is seen by whoever goes to sleep from now on. Owner only.
  void announce() noexcept {
    // Gives the stores of newest_ before it the place in the total order that they lack.
    newest_.fetch_add(0, std::memory_order_seq_cst);
  }

  /// The oldest item, or null if there is none. Any thread.
  T* steal() noexcept {
    // acquire pairs with the compare-exchange of whoever moved oldest_ here: what came before it (the owner's pops,
    // which make newest_ smaller; another thief's theft) is then before our load of newest_.
    std::uint64_t oldest = oldest_.load(std::memory_order_acquire);
    for (;;) {
      // seq_cst: pop() stores newest_ and then loads oldest_, we and the thieves before us move oldest_ and then
      // load newest_. Either pop() sees that oldest_ has come to the item that it wants, or we see that it wants
      // it.
      const std::uint64_t newest = newest_.load(std::memory_order_seq_cst);
      if (!before(oldest, newest)) return nullptr;
      T* item = slot(oldest).load(std::memory_order_relaxed);
      // Success: seq_cst as just said; as a release it pairs with the load of oldest_ in push(), which thereby comes
      // after our reading of the slot. Failure: as the first load.
      if (oldest_.compare_exchange_strong(oldest, oldest + 1, std::memory_order_seq_cst, std::memory_order_acquire))
        return item;
    }
  }

  /// Owner only: makes room in a full queue. Takes the older half, at least one item; none only if the queue is
  /// empty.
  work_chain<T> take_oldest_half() noexcept {
    const std::uint64_t newest = newest_.load(std::memory_order_relaxed);  // only we write it
    std::uint64_t oldest = oldest_.load(std::memory_order_relaxed);
    std::uint64_t count;
    do {
      count = (newest - oldest + 1) / 2;
      if (count == 0) return {};
      // release pairs with the first loads of steal() and steal_half(), which must not see a newest_ from before.
      // No acquire: all that we read from here on we have written ourselves.
    } while (!oldest_.compare_exchange_weak(oldest, oldest + count, std::memory_order_release,
                                            std::memory_order_relaxed));
    // Nobody writes these slots before our own next push().
    work_chain<T> chain;
    chain.count = static_cast<std::size_t>(count);
    chain.first = chain.last = slot(oldest).load(std::memory_order_relaxed);
    for (std::uint64_t i = oldest + 1; i != oldest + count; ++i) {
      T* item = slot(i).load(std::memory_order_relaxed);
      chain.last->next_ = item;
      chain.last = item;
    }
    chain.last->next_ = nullptr;
    return chain;
  }

  /// Any thread. False while the owner has pushed something that nobody has taken; may say true while pop() is
  /// taking the last item. For the sleeper's last look (above).
  [[nodiscard]] bool empty() const noexcept {
    // seq_cst: pairs with announce(), see above. An old oldest_ only errs towards false.
    const std::uint64_t newest = newest_.load(std::memory_order_seq_cst);
    return !before(oldest_.load(std::memory_order_relaxed), newest);
  }

  /// Any thread; the owner's own count is exact up to thieves.
  [[nodiscard]] std::size_t size() const noexcept {
    const std::uint64_t oldest = oldest_.load(std::memory_order_relaxed);
    const std::uint64_t newest = newest_.load(std::memory_order_relaxed);
    return before(oldest, newest) ? static_cast<std::size_t>(newest - oldest) : 0;
  }

 protected:
  // pop() lets newest_ fall behind oldest_ for a moment.
  static bool before(std::uint64_t a, std::uint64_t b) noexcept { return static_cast<std::int64_t>(b - a) > 0; }
  atomic<T*>& slot(std::uint64_t index) noexcept { return slots_[index & (Capacity - 1)]; }

  alignas(cache_line_pair) atomic<std::uint64_t> newest_{0};
  std::uint64_t known_oldest_ =
      0;  // the owner's: what it last saw there, so that it need not look while thieves write
  alignas(cache_line_pair) atomic<std::uint64_t> oldest_{0};
  alignas(cache_line_pair) atomic<T*> slots_[Capacity] = {};
};

/// The owner takes the newest item, everyone else the oldest.
template <class T, std::size_t Capacity = 256>
class work_queue : public work_ring<T, Capacity> {
 public:
  /// Whether this item is the newest; it may be taken already, if it was the only one. Owner only.
  [[nodiscard]] bool is_newest(T* item) noexcept {
    const std::uint64_t newest = this->newest_.load(std::memory_order_relaxed);  // only we write it
    return this->slot(newest - 1).load(std::memory_order_relaxed) == item;
  }
  /// Takes the newest item if it is this one. Owner only.
  bool pop_if(T* item) noexcept {
    // A slot behind an empty queue may still hold what was taken from it: pop() looks.
    return is_newest(item) && pop() == item;
  }
  /// The newest item, or null if there is none. Owner only.
  T* pop() noexcept {
    const std::uint64_t newest = this->newest_.load(std::memory_order_relaxed);  // only we write it
    // Empty: oldest_ never moves past newest_, so there is nothing that a fresher value could tell.
    if (this->oldest_.load(std::memory_order_relaxed) == newest) return nullptr;
    // seq_cst, in this order: the partners are in steal().
    this->newest_.store(newest - 1, std::memory_order_seq_cst);
    std::uint64_t oldest = this->oldest_.load(std::memory_order_seq_cst);
    if (this->before(oldest, newest - 1)) return this->slot(newest - 1).load(std::memory_order_relaxed);
    // At most one item is left, and a thief may be after it: the compare-exchange decides. release pairs with the
    // first load of steal(), which must not see a newest_ from before our pops.
    T* item = nullptr;
    if (oldest == newest - 1 && this->oldest_.compare_exchange_strong(oldest, oldest + 1, std::memory_order_release,
                                                                      std::memory_order_relaxed))
      item = this->slot(newest - 1).load(std::memory_order_relaxed);
    // The queue is empty: there is nothing that this could publish.
    this->newest_.store(newest, std::memory_order_relaxed);
    return item;
  }
};

/// Everyone takes the oldest item, the owner too (by steal()).
template <class T, std::size_t Capacity = 256>
class fifo_queue : public work_ring<T, Capacity> {
 public:
  /// Moves the older half of `from`, at least one item if there is one, behind our own newest; as many as we have
  /// room for. Called by our owner; `from` may be any other queue. Returns how many were moved.
  std::size_t steal_half(fifo_queue& from) noexcept {
    const std::uint64_t end = this->newest_.load(std::memory_order_relaxed);  // only we write it
    // acquire: as in push().
    const std::uint64_t room =
        Capacity - (end - (this->known_oldest_ = this->oldest_.load(std::memory_order_acquire)));
    // acquire pairs with the compare-exchange of whoever moved oldest_ here, so that newest_ is not the older of
    // the two.
    std::uint64_t oldest = from.oldest_.load(std::memory_order_acquire);
    for (;;) {
      // acquire pairs with the stores of newest_: the items.
      const std::uint64_t newest = from.newest_.load(std::memory_order_acquire);
      std::uint64_t count = (newest - oldest + 1) / 2;
      if (count > room) count = room;
      if (count == 0) return 0;
      // Our slots behind newest_ are nobody else's: if the compare-exchange fails, they are just written again.
      for (std::uint64_t i = 0; i != count; ++i)
        this->slot(end + i).store(from.slot(oldest + i).load(std::memory_order_relaxed), std::memory_order_relaxed);
      // release pairs with the load of oldest_ in push(), which thereby comes after our reading of the slots; for
      // takers that read this oldest_ it hands on what we acquired. Failure: as the first load.
      if (!from.oldest_.compare_exchange_strong(oldest, oldest + count, std::memory_order_acq_rel,
                                                std::memory_order_acquire))
        continue;
      this->newest_.store(end + count, std::memory_order_seq_cst);  // as in push() and announce()
      return static_cast<std::size_t>(count);
    }
  }
};

}  // namespace astd::detail
