#include <astd/driver/sim/event.hpp>

#include <algorithm>
#include <utility>

namespace astd::driver::sim {

void event_queue::put(event& e, instant when, std::uint64_t tie) {
  if (e.queued()) {
    const std::size_t place = places_[e.slot_];
    const entry moving{when, tie, e.slot_};
    if (moving.before(heap_[place]))
      up(place, moving);
    else
      down(place, moving);
    return;
  }
  if (free_slots_.empty()) {
    e.slot_ = static_cast<std::uint32_t>(events_.size());
    events_.push_back(&e);
    places_.push_back(0);
    free_slots_.reserve(events_.capacity());
  } else {
    e.slot_ = free_slots_.back();
    free_slots_.pop_back();
    events_[e.slot_] = &e;
  }
  const entry moving{when, tie, e.slot_};
  heap_.push_back(moving);
  up(heap_.size() - 1, moving);
}

void event_queue::remove(event& e) noexcept {
  if (!e.queued()) return;
  const std::size_t hole = places_[e.slot_];
  free_slots_.push_back(std::exchange(e.slot_, event::nowhere));
  const entry last = heap_.back();
  heap_.pop_back();
  if (hole == heap_.size()) return;
  if (hole > 0 && last.before(heap_[(hole - 1) / 4]))
    up(hole, last);
  else
    down(hole, last);
}

event& event_queue::pop() noexcept {
  event& first = *events_[heap_.front().slot];
  remove(first);
  // The next one's, and the one's that may come after it, while this one happens.
  const std::size_t soon = std::min<std::size_t>(heap_.size(), 5);
  for (std::size_t i = 0; i < soon; ++i) __builtin_prefetch(events_[heap_[i].slot]);
  if (soon > 0) {
    if (const auto* const touched = static_cast<const char*>(events_[heap_.front().slot]->touched_))
      for (int line = 0; line < 5; ++line) __builtin_prefetch(touched + 64 * line);
  }
  return first;
}

void event_queue::up(std::size_t place, const entry& moving) noexcept {
  while (place > 0) {
    const std::size_t parent = (place - 1) / 4;
    if (!moving.before(heap_[parent])) break;
    set(place, heap_[parent]);
    place = parent;
  }
  set(place, moving);
}

void event_queue::down(std::size_t place, const entry& moving) noexcept {
  for (;;) {
    const std::size_t first = 4 * place + 1;
    if (first >= heap_.size()) break;
    std::size_t best = first;
    const std::size_t end = std::min(first + 4, heap_.size());
    for (std::size_t child = first + 1; child < end; ++child)
      if (heap_[child].before(heap_[best])) best = child;
    if (!heap_[best].before(moving)) break;
    set(place, heap_[best]);
    place = best;
  }
  set(place, moving);
}

}  // namespace astd::driver::sim
