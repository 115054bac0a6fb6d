#include <astd/driver/sim/event.hpp>

#include <algorithm>

namespace astd::driver::sim {

void event_queue::put(event& e, instant when, std::uint64_t tie) {
  const entry moving{when, tie, &e};
  if (!e.queued()) {
    heap_.push_back(moving);
    up(heap_.size() - 1, moving);
  } else if (moving.before(heap_[e.place_])) {
    up(e.place_, moving);
  } else {
    down(e.place_, moving);
  }
}

void event_queue::remove(event& e) noexcept {
  if (!e.queued()) return;
  const std::size_t hole = e.place_;
  e.place_ = event::nowhere;
  const entry last = heap_.back();
  heap_.pop_back();
  if (hole == heap_.size()) return;
  if (hole > 0 && last.before(heap_[(hole - 1) / 4]))
    up(hole, last);
  else
    down(hole, last);
}

event& event_queue::pop() noexcept {
  event& first = *heap_.front().what;
  remove(first);
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
