#include <astd/coro/chain.hpp>
#include <astd/coro/promise.hpp>
#include <astd/coro/task_header.hpp>
#include <astd/coro/thread_state.hpp>

#include <utility>

namespace astd::detail {

chain* current_chain() noexcept { return this_thread_state.current; }

void set_current_chain(chain* c) noexcept { set_current_chain(c, c ? c->innermost() : nullptr); }

void set_current_chain(chain* c, const promise_base* frame) noexcept {
  this_thread_state.current = c;
  running_note* const note = this_thread_state.note;
  if (!note) return;
  // relaxed: a hint for whoever looks in from outside.
  note->task_id.store(c && c->task() ? c->task()->id : 0, std::memory_order_relaxed);
  if (frame) note->where.store(frame->where(), std::memory_order_relaxed);
}

running_note* set_running_note(running_note* to) noexcept { return std::exchange(this_thread_state.note, to); }

promise_base* chain::innermost() const noexcept {
  const std::uintptr_t in = suspended_.load(std::memory_order_acquire);
  if (in & 1) return reinterpret_cast<promise_base*>(in - 1);
  return in ? reinterpret_cast<const suspension*>(in)->frame() : nullptr;
}

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
  c.set_running();
  // From here on `self` may be gone: it lives in the innermost frame, or in the chain's owner.
  while (frame) {
    promise_base* const outer = frame->parent();
    frame->destroy_frame();
    frame = outer;
  }
  c.stopped_ = true;
  resumable* const end = &c.end_;
  ASTD_TRANSFER_TO(end);
}

}  // namespace astd::detail
