#include <astd/coro/chain.hpp>
#include <astd/coro/promise.hpp>
#include <astd/coro/task_header.hpp>
#include <astd/coro/thread_state.hpp>

#include <utility>

namespace astd::detail {

chain* current_chain() noexcept { return this_thread_state.current; }

void set_current_chain(chain* c) noexcept {
  this_thread_state.current = c;
  running_note* const note = this_thread_state.note;
  if (!note) return;
  // relaxed: a hint for whoever looks in from outside.
  note->task_id.store(c && c->task() ? c->task()->id : 0, std::memory_order_relaxed);
  if (c && c->innermost()) note->where.store(c->innermost()->where(), std::memory_order_relaxed);
}

running_note* set_running_note(running_note* to) noexcept { return std::exchange(this_thread_state.note, to); }

void chain::request_cancel() noexcept {
  // acquire: pairs with the release in publish(), whose operation we are about to use. release: whoever finds
  // "requested" sees what led to the request.
  const auto held = slot_.exchange(requested, std::memory_order_acq_rel);
  if (held > requested) reinterpret_cast<suspension*>(held)->request_stop();
}

void suspension::unwind(resumable* r) {
  auto& self = static_cast<suspension&>(*r);
  chain& c = *self.chain_;
  promise_base* frame = self.frame();
  set_current_chain(&c);  // destructors may ask who they are
  c.set_suspended(nullptr, nullptr);
  // From here on `self` may be gone: it lives in the innermost frame, or in the chain's owner.
  while (frame) {
    frame_slot& slot = frame->slot();
    frame = slot.parent();
    slot.destroy_frame();
  }
  c.stopped_ = true;
  resumable* const end = &c.end_;
  ASTD_TRANSFER_TO(end);
}

}  // namespace astd::detail
