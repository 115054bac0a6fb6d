#include <astd/base/assert.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/worker.hpp>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace astd::detail {
namespace {

constinit thread_local worker* this_thread = nullptr;

void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

worker::worker(runtime_core& runtime, unsigned index)
    : runtime_(runtime),
      index_(index),
      random_(0x9e3779b9u * (index + 1)),
      pinned_executor_(*this),
      loop_(runtime.driver_options()) {}

worker::~worker() = default;

worker* worker::current() noexcept { return this_thread; }

loop* this_threads_loop() noexcept { return this_thread ? &this_thread->events() : nullptr; }

void worker::enter() noexcept {
  outer_ = std::exchange(this_thread, this);
  outer_note_ = set_running_note(&running_);
  active_.store(true, std::memory_order_seq_cst);
  if (pause_asked_.load(std::memory_order_seq_cst)) pause();
}

void worker::leave() noexcept {
  active_.store(false, std::memory_order_seq_cst);
  this_thread = std::exchange(outer_, nullptr);
  set_running_note(outer_note_);
}

// ---- putting things into the queues

void worker::pinned::schedule(resumable& r, urgency how) noexcept {
  worker& w = worker_;
  if (this_thread == &w) {
    // Where nobody steals, all our queues are for us alone.
    if (w.runtime_.steals_from(w))
      w.push_pinned(r);
    else
      w.push(r, how);
    return;
  }
  resumable* head = w.inbox_.load(std::memory_order_relaxed);
  do {
    r.next_ = head;
    // seq_cst: the owner says that it sleeps (active_) and then looks here; we push and then look whether it sleeps.
  } while (!w.inbox_.compare_exchange_weak(head, &r, std::memory_order_seq_cst, std::memory_order_relaxed));
  if (!w.active_.load(std::memory_order_seq_cst)) w.wake();
}

void worker::push(resumable& r, urgency how) noexcept {
  if (how == urgency::queued) {
    push_line(r);
    if (!polling_) runtime_.notify(*this);
    return;
  }
  // acq_rel: pairs with take_next() of the monitor.
  if (resumable* older = next_.exchange(&r, std::memory_order_acq_rel)) {
    displace(*older);
    if (!polling_) runtime_.notify(*this);
  }
}

void worker::push_line(resumable& r) noexcept {
  if (line_.push(&r)) return;
  spill_.push_back(line_.take_oldest_half());
  line_.push(&r);
}

void worker::displace(resumable& r) noexcept {
  if (stack_.push(&r)) return;
  spill_.push_front(stack_.take_oldest_half());
  stack_.push(&r);
}

void worker::push_pinned(resumable& r) noexcept {
  r.next_ = nullptr;
  (pinned_last_ ? pinned_last_->next_ : pinned_first_) = &r;
  pinned_last_ = &r;
}

bool worker::take_back(resumable& r) noexcept {
  resumable* expected = &r;
  return next_.load(std::memory_order_relaxed) == &r &&
         next_.compare_exchange_strong(expected, nullptr, std::memory_order_acquire, std::memory_order_relaxed);
}

// ---- taking them out

resumable* worker::pop_pinned() noexcept {
  if (inbox_.load(std::memory_order_relaxed)) {
    // acquire: pairs with the pushes. The list is newest first; turn it round.
    resumable* newest = inbox_.exchange(nullptr, std::memory_order_acquire);
    resumable* oldest = nullptr;
    while (newest) {
      resumable* const next = newest->next_;
      newest->next_ = oldest;
      oldest = std::exchange(newest, next);
    }
    while (oldest) {
      resumable* const next = oldest->next_;
      push_pinned(*oldest);
      oldest = next;
    }
  }
  resumable* const r = pinned_first_;
  if (r) {
    pinned_first_ = r->next_;
    if (!pinned_first_) pinned_last_ = nullptr;
  }
  return r;
}

// Items that were taken together, oldest first: runs the newest next, keeps the rest at hand.
resumable* worker::adopt(work_chain<resumable> items) noexcept {
  resumable* r = items.first;
  while (r) {
    resumable* const following = r->next_;
    if (!following) return r;
    displace(*r);
    r = following;
  }
  return nullptr;
}

resumable* worker::next() noexcept {
  if (pause_asked_.load(std::memory_order_relaxed)) [[unlikely]]
    pause();
  if (++tick_ >= fair_turn) [[unlikely]] {
    tick_ = 0;
    if (resumable* r = next_in_turn()) return r;
  }
  if (hot_ < hot_turns) {
    if (next_.load(std::memory_order_relaxed)) {
      ++hot_;
      if (resumable* r = next_.exchange(nullptr, std::memory_order_acquire)) return r;
    }
  }
  hot_ = 0;
  if (resumable* r = stack_.pop()) return r;
  if (!spill_.empty())
    if (resumable* r = adopt(spill_.pop(128))) return r;
  if (resumable* r = pop_pinned()) return r;
  if (resumable* r = line_.steal()) return r;
  if (next_.load(std::memory_order_relaxed))
    if (resumable* r = next_.exchange(nullptr, std::memory_order_acquire)) return r;
  if (index_ != guest)
    if (resumable* r = adopt(runtime_.take_injected(*this))) return r;
  if (poll_world()) {
    if (resumable* r = line_.steal()) return r;
    if (resumable* r = pop_pinned()) return r;
    if (resumable* r = next_.exchange(nullptr, std::memory_order_acquire)) return r;
  }
  return steal();
}

// Whoever would otherwise wait behind those that are always ready.
resumable* worker::next_in_turn() noexcept {
  poll_world();
  if (index_ != guest)
    if (work_chain<resumable> items = runtime_.take_injected(*this); items.first) {
      for (resumable* r = items.first; r != items.last;) push_line(*std::exchange(r, r->next_));
      return items.last;
    }
  if (resumable* r = line_.steal()) return r;
  if (resumable* r = pop_pinned()) return r;
  return stack_.steal();
}

resumable* worker::steal() noexcept {
  if (!runtime_.steals_from(*this)) return nullptr;
  const unsigned n = runtime_.worker_count();
  if (!searching_) {
    if (!runtime_.idlers().start_searching(n)) return nullptr;
    searching_ = true;
  }
  random_ = random_ * 1664525u + 1013904223u;
  const unsigned first = (random_ >> 16) % n;
  for (unsigned i = 0; i < n; ++i) {
    worker& victim = runtime_.worker_at((first + i) % n);
    if (&victim == this) continue;
    if (resumable* r = steal_from(victim)) {
      ++counters_.steals;
      return r;
    }
  }
  return nullptr;
}

resumable* worker::steal_from(worker& victim) noexcept {
  // The oldest of the stack are the roots of the largest pieces of work; of a long one take some more.
  if (resumable* r = victim.stack_.steal()) {
    ++counters_.stolen;
    for (std::size_t more = std::min<std::size_t>(victim.stack_.size() / 2, 32); more; --more) {
      resumable* const also = victim.stack_.steal();
      if (!also) break;
      ++counters_.stolen;
      displace(*std::exchange(r, also));
    }
    return r;
  }
  if (line_.steal_half(victim.line_)) {
    ++counters_.stolen;
    if (resumable* r = line_.steal()) return r;
  }
  if (!victim.spill_.empty()) {
    ++counters_.stolen;
    return adopt(victim.spill_.pop(64));
  }
  return nullptr;
}

// ---- running

void worker::resume(resumable& r) noexcept {
  if (searching_) {
    searching_ = false;
    // The last one to stop searching wakes the next: there may be more where this came from.
    if (runtime_.idlers().stop_searching()) runtime_.notify(*this);
  }
  ++turns_;
  operations_left_ = slice_operations;
  if (slice_over_.load(std::memory_order_relaxed)) slice_over_.store(false, std::memory_order_relaxed);
  run(r);
  set_current_chain(nullptr);
}

bool worker::spend() noexcept {
  if (--operations_left_ != 0 && !slice_over_.load(std::memory_order_relaxed)) [[likely]]
    return true;
  operations_left_ = slice_operations;
  ++counters_.yields_forced;
  return false;
}

bool worker::poll_world() noexcept {
  polling_ = true;
  const bool any = loop_.poll(true);
  polling_ = false;
  // One wake for all that the world brought, and none for what we are about to run ourselves.
  if (any && queued() > 1) runtime_.notify(*this);
  return any;
}

bool worker::own_work() const noexcept { return inbox_.load(std::memory_order_seq_cst) != nullptr; }

// Nothing was ready a moment ago. A short while of watching is cheaper than falling asleep and being woken (30 us on the
// machines this was measured on), and it is what makes a lone connection fast; how long is learnt from the last waits.
bool worker::spin() noexcept {
  if (spin_limit_ < 1000 || !loop_.is_open()) return false;
  const bool may_steal = runtime_.steals_from(*this);
  const instant end = loop_.now() + spin_limit_;
  do {
    for (int i = 0; i < 8; ++i) {
      if (loop_.ready() && poll_world()) return true;
      if (own_work() || runtime_.stopping()) return true;
      if (index_ != guest && runtime_.any_injected()) return true;
      if (may_steal && searching_ && runtime_.anything_to_steal(*this)) return true;
      relax();
    }
  } while (loop_.now() < end);
  return false;
}

void worker::idle() noexcept {
  if (spin()) return;
  idle_set& idlers = runtime_.idlers();
  if (index_ != guest) {
    if (std::exchange(searching_, false)) idlers.stop_searching();
    idlers.enter(index_);
    // A last look, after we have said that we sleep: see idle_set.
    if (own_work() || runtime_.stopping() || runtime_.any_injected() || runtime_.anything_to_steal(*this)) {
      if (!idlers.leave(index_)) searching_ = true;
      return;
    }
  }
  // seq_cst: whoever puts something into our inbox, or wants us to pause, looks at this afterwards.
  active_.store(false, std::memory_order_seq_cst);
  const bool sleep = !own_work() && !runtime_.stopping();
  if (sleep) {
    ++counters_.parks;
    const bool timed = loop_.is_open();
    const instant before = timed ? loop_.now() : 0;
    loop_.wait();
    if (timed)
      spin_limit_ = loop_.now() - before < longest_spin ? longest_spin : spin_limit_ / 2;
  }
  active_.store(true, std::memory_order_seq_cst);
  if (index_ != guest) {
    if (!idlers.leave(index_)) searching_ = true;
    runtime_.note_activity();
  }
  if (pause_asked_.load(std::memory_order_seq_cst)) pause();
  poll_world();
}

void worker::nap() noexcept {
  if (!poll_world()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void worker::ask_to_pause(bool on) noexcept {
  pause_asked_.store(on, std::memory_order_seq_cst);
  if (!on) pause_asked_.notify_all();
}

void worker::pause() noexcept {
  do {
    active_.store(false, std::memory_order_seq_cst);
    pause_asked_.wait(true, std::memory_order_seq_cst);
    active_.store(true, std::memory_order_seq_cst);
  } while (pause_asked_.load(std::memory_order_seq_cst));
}

}  // namespace astd::detail
