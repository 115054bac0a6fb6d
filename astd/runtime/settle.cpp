#include <astd/runtime/core.hpp>
#include <astd/runtime/join_handle.hpp>
#include <astd/runtime/settle.hpp>

namespace astd::detail {

void settle_task(task_header& t) noexcept {
  // Outwards, over the fresh tasks that wait for each other. Nobody uses their list links yet: they lead back inwards.
  task_header* outermost = &t;
  outermost->list_node::next = nullptr;
  for (;;) {
    outermost->root.set_fresh(false);
    if (!outermost->root.is_joined_here) break;
    chain& waiting = join_waiter::of_fresh(*outermost).waits_in();
    if (!waiting.is_fresh()) break;
    waiting.task()->list_node::next = outermost;
    outermost = waiting.task();
  }
  // Inwards: each is published only when whoever waits for it is, since from then on it may be cancelled, and it may be
  // gone as soon as what it waits for is published, too.
  for (task_header* each = outermost; each;) {
    auto* const inner = static_cast<task_header*>(each->list_node::next);
    if (std::exchange(each->root.is_joined_here, false)) join_waiter::of_fresh(*each).publish_late();
    if (!registry_of(*each).add(*each)) each->root.request_cancel();
    each = inner;
  }
}

void settle_current_task() noexcept {
  if (chain* const c = current_chain(); c && c->task()) c->task()->root.settle();
}

}  // namespace astd::detail
