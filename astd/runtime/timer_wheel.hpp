// The timers of one loop, ordered well enough to sleep until the next and to fire what is due: a wheel of 8 levels
// with 64 slots each. Setting and removing a timer takes constant time, however many there are.
//
//   wheel.insert(timer);                          // timer.deadline and timer.fired are set
//   sleep until wheel.next_deadline();
//   intrusive_list<timer> expired;
//   wheel.advance(driver.now(), expired);
//   while (timer* t = expired.pop_front()) t->fired(*t);
//
// The first level's slots are ticks of 2^16 ns, each further level's 64 times as long as those of the level below;
// together they cover every instant. But a slot knows the earliest deadline in it and an expired slot is looked
// through, so a timer fires neither before its deadline nor a tick later: it is due when now >= deadline.
#pragma once

#include <astd/base/config.hpp>
#include <astd/base/instant.hpp>
#include <astd/base/intrusive_list.hpp>

#include <cstdint>

namespace astd::detail {

/// Lives in the awaiting frame and stays where it is while it is linked.
struct timer : list_node {
  instant deadline = never;                  // not changed while linked
  void (*fired)(timer&) noexcept = nullptr;  // for whoever takes the expired timers; the wheel does not call it

  /// Fetches one that was set a little later, for whoever goes through a list of expired timers: they lie anywhere.
  void prefetch_later() const noexcept {
    ASTD_PREFETCH(reinterpret_cast<const void*>(static_cast<std::uintptr_t>(later)));
  }

  // The wheel's.
  std::uint64_t slot : 9 = 0;
  std::uint64_t turn : 3 = 0;
  std::uint64_t later : 52 = 0;  // its address, or where it was: it may be gone
};

/// Not thread-safe: every call is made under the loop's lock. Owns no timer; destroyed empty or not.
class timer_wheel {
 public:
  timer_wheel() noexcept;

  /// Sets a timer that is not linked. A deadline that has passed makes it fire at the next advance().
  void insert(timer& t) noexcept;

  /// Takes a timer back: true if it was linked, in the wheel or in the list of expired ones that advance() put it
  /// into; so after true it does not fire, and after false it has fired already (or was never set). Expired timers
  /// may as well be unlinked by the list itself.
  bool remove(timer& t) noexcept;

  /// The instant to sleep until: no timer is due before it, `never` if there is none. It is the earliest deadline,
  /// unless the timer that had it was removed and others of the same slot were not: then it may be earlier, once.
  [[nodiscard]] instant next_deadline() const noexcept;

  /// The earliest deadline of all, exactly; takes time with the timers of its slot.
  [[nodiscard]] instant earliest_deadline() noexcept;

  /// Moves all timers with deadline <= now, and no other, to the end of `expired`. They come out ordered by tick
  /// (deadline / 2^16 ns, rounded down), those of one tick in the order of their insertion; a timer that was set
  /// when its deadline had passed counts as belonging to the tick of the last advance before. A `now` before that
  /// of an earlier call counts as that one. The cost does not depend on how far the time has moved; each timer is
  /// touched at most 7 times before it expires, as its deadline comes near.
  void advance(instant now, intrusive_list<timer>& expired) noexcept;

 private:
  static constexpr int tick_bits = 16;
  static constexpr int level_bits = 6;
  static constexpr int levels = 8;
  static constexpr int slots = 1 << level_bits;
  static_assert(tick_bits + levels * level_bits == 64, "every instant has its slot");

  // In the order of their insertion. Who walks through them would wait for the memory at each step, so each timer is told
  // where the one is that was inserted `lead` later.
  class slot {
   public:
    instant earliest = never;  // no timer here is due before; valid while there are timers
    [[nodiscard]] bool empty() const noexcept { return timers_.empty(); }
    [[nodiscard]] timer* front() noexcept { return timers_.front(); }
    [[nodiscard]] timer* after(timer& t) noexcept { return timers_.after(t); }
    void push_back(timer& t) noexcept;
    /// Also one that has left the slot for a list.
    void erase(timer& t) noexcept;
    void move_to(intrusive_list<timer>& list) noexcept;

   private:
    static constexpr unsigned lead = 8;
    intrusive_list<timer> timers_;
    timer* newest_[lead] = {};  // null: removed
    unsigned inserted_ = 0;
  };

  static std::uint64_t tick_of(instant time) noexcept;
  void put(timer& t) noexcept;
  void clear_if_empty(int level, int index) noexcept;
  void cascade(int level, int index, std::uint64_t last_tick) noexcept;
  void expire_due(int index, intrusive_list<timer>& expired) noexcept;

  // Every timer lies on the level of the highest digit (base 64) in which its tick differs from tick_, in the slot
  // that this digit says: so all on one level are due before all on the next, and the first occupied slot of the
  // first occupied level holds the earliest.
  std::uint64_t tick_ = 0;
  instant now_ = INT64_MIN;
  std::uint32_t occupied_levels_ = 0;
  std::uint64_t occupied_[levels] = {};
  slot slots_[levels][slots];
};

}  // namespace astd::detail
