#include <astd/time/delay_queue.hpp>

namespace astd::detail {
namespace {

bool before(const delay_heap::node& a, const delay_heap::node& b) noexcept {
  return a.deadline != b.deadline ? a.deadline < b.deadline : a.order < b.order;
}

}  // namespace

void delay_heap::push(node& n, instant deadline) noexcept {
  n.place = nodes_.size();
  nodes_.push_back(&n);
  move(n, deadline);
}

void delay_heap::move(node& n, instant deadline) noexcept {
  n.deadline = deadline;
  n.order = inserted_++;
  settle(n);
}

void delay_heap::remove(node& n) noexcept {
  node& last = *nodes_.back();
  nodes_.pop_back();
  if (&last == &n) return;
  put(n.place, last);
  settle(last);
}

// Up or down from where it stands, to where it belongs.
void delay_heap::settle(node& n) noexcept {
  std::size_t at = n.place;
  for (; at > 0 && before(n, *nodes_[(at - 1) / 2]); at = (at - 1) / 2) put(at, *nodes_[(at - 1) / 2]);
  for (;;) {
    std::size_t below = 2 * at + 1;
    if (below >= nodes_.size()) break;
    if (below + 1 < nodes_.size() && before(*nodes_[below + 1], *nodes_[below])) ++below;
    if (!before(*nodes_[below], n)) break;
    put(at, *nodes_[below]);
    at = below;
  }
  put(at, n);
}

}  // namespace astd::detail
