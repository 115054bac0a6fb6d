#include <astd/base/assert.hpp>
#include <astd/runtime/timer_wheel.hpp>

#include <bit>

namespace astd::detail {

timer_wheel::timer_wheel() noexcept = default;

void timer_wheel::slot::push_back(timer& t) noexcept {
  timers_.push_back(t);
  t.later = 0;
  t.turn = inserted_++ % lead;
  if (timer* const earlier = newest_[t.turn]) earlier->later = reinterpret_cast<std::uintptr_t>(&t);
  newest_[t.turn] = &t;
}

void timer_wheel::slot::erase(timer& t) noexcept {
  intrusive_list<timer>::erase(t);
  if (newest_[t.turn] == &t) newest_[t.turn] = nullptr;
}

void timer_wheel::slot::move_to(intrusive_list<timer>& list) noexcept {
  list.splice(timers_);
  for (timer*& t : newest_) t = nullptr;
}

// Ticks are unsigned and in the order of the instants, the negative ones first.
std::uint64_t timer_wheel::tick_of(instant time) noexcept {
  return (static_cast<std::uint64_t>(time) ^ (std::uint64_t{1} << 63)) >> tick_bits;
}

void timer_wheel::insert(timer& t) noexcept {
  ASTD_ASSERT(!t.linked(), "timer set twice");
  put(t);
}

bool timer_wheel::remove(timer& t) noexcept {
  if (!t.linked()) return false;
  const int level = t.slot / slots, index = t.slot % slots;
  slots_[level][index].erase(t);
  clear_if_empty(level, index);
  return true;
}

instant timer_wheel::next_deadline() const noexcept {
  if (occupied_levels_ == 0) return never;
  const int level = std::countr_zero(occupied_levels_);
  return slots_[level][std::countr_zero(occupied_[level])].earliest;
}

instant timer_wheel::earliest_deadline() noexcept {
  if (occupied_levels_ == 0) return never;
  const int level = std::countr_zero(occupied_levels_);
  slot& first = slots_[level][std::countr_zero(occupied_[level])];
  instant earliest = never;
  for (timer* t = first.front(); t; t = first.after(*t))
    if (t->deadline < earliest) earliest = t->deadline;
  return earliest;
}

void timer_wheel::advance(instant now, intrusive_list<timer>& expired) noexcept {
  if (now > now_) now_ = now;
  const std::uint64_t last_tick = tick_of(now_);
  // What may be due is in the first occupied slot, again and again.
  while (occupied_levels_ != 0) {
    const int level = std::countr_zero(occupied_levels_);
    const int index = std::countr_zero(occupied_[level]);
    const int shift = level * level_bits;
    const std::uint64_t above = tick_ >> shift >> level_bits << level_bits;
    const std::uint64_t start = (above | static_cast<std::uint64_t>(index)) << shift;
    if (start > last_tick) break;
    if (level != 0) {
      cascade(level, index, last_tick);
    } else if (start < last_tick) {
      slots_[0][index].move_to(expired);
      clear_if_empty(0, index);
    } else {
      if (slots_[0][index].earliest <= now_) expire_due(index, expired);
      break;
    }
  }
  tick_ = last_tick;
}

void timer_wheel::put(timer& t) noexcept {
  std::uint64_t tick = tick_of(t.deadline);
  if (tick < tick_) tick = tick_;  // passed: the current slot, which the next advance() looks through
  const std::uint64_t difference = tick ^ tick_;
  const int level = difference == 0 ? 0 : (63 - std::countl_zero(difference)) / level_bits;
  const int index = static_cast<int>(tick >> (level * level_bits)) & (slots - 1);
  slot& s = slots_[level][index];
  if (s.empty() || t.deadline < s.earliest) s.earliest = t.deadline;
  s.push_back(t);
  t.slot = static_cast<unsigned>(level * slots + index);
  occupied_[level] |= std::uint64_t{1} << index;
  occupied_levels_ |= 1u << level;
}

void timer_wheel::clear_if_empty(int level, int index) noexcept {
  if (!slots_[level][index].empty()) return;
  occupied_[level] &= ~(std::uint64_t{1} << index);
  if (occupied_[level] == 0) occupied_levels_ &= ~(1u << level);
}

// Spreads the first occupied slot, which begins no later than last_tick, over the levels below.
void timer_wheel::cascade(int level, int index, std::uint64_t last_tick) noexcept {
  slot& s = slots_[level][index];
  // Nothing lies before the earliest timer of this slot, so the wheel may turn to it at once (or to last_tick, if
  // it is later than that): the levels in between are skipped.
  const std::uint64_t earliest = tick_of(s.earliest);
  tick_ = earliest < last_tick ? earliest : last_tick;
  intrusive_list<timer> moving;
  s.move_to(moving);
  clear_if_empty(level, index);
  while (timer* t = moving.pop_front()) {
    t->prefetch_later();
    put(*t);
  }
}

void timer_wheel::expire_due(int index, intrusive_list<timer>& expired) noexcept {
  slot& s = slots_[0][index];
  instant earliest = never;
  for (timer* t = s.front(); t;) {
    t->prefetch_later();
    timer* behind = s.after(*t);
    if (t->deadline <= now_) {
      s.erase(*t);
      expired.push_back(*t);
    } else if (t->deadline < earliest) {
      earliest = t->deadline;
    }
    t = behind;
  }
  s.earliest = earliest;
  clear_if_empty(0, index);
}

}  // namespace astd::detail
