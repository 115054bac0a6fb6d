#include <astd/base/assert.hpp>
#include <astd/base/backoff.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/simulated_worker.hpp>
#include <astd/runtime/slice.hpp>
#include <astd/runtime/worker.hpp>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace astd::detail {
namespace {

constinit thread_local worker* this_thread = nullptr;

}  // namespace

worker::worker(runtime_core& runtime, unsigned index)
    : runtime_(runtime),
      index_(index),
      random_(0x9e3779b9u * (index + 1)),
      rings_(runtime.steals_from(*this) ? std::make_unique<rings>() : nullptr),
      pinned_executor_(*this),
      shared_executor_(index != guest ? &runtime : nullptr),
      for_new_tasks_(runtime.options().stealing ? static_cast<executor&>(runtime) : pinned_executor_),
      seat_(runtime.clock() ? std::make_unique<virtual_clock::seat>(*runtime.clock(), *this) : nullptr),
      loop_(runtime.driver_options(), seat_.get()) {
  if (seat_) spin_limit_ = 0;  // in virtual time watching takes no time, and so would never end
}

void worker::simulate(simulation& s) { simulated_ = std::make_unique<simulated_worker>(*this, s); }

void worker::wake_up_simulated() noexcept {
  go_active();
  simulated_->begin(false);
}

worker::~worker() { inside_.wait_until_gone(); }

worker* worker::current() noexcept { return this_thread; }

loop* this_threads_loop() noexcept { return this_thread ? &this_thread->events() : nullptr; }

worker::stand_in::stand_in(worker& w) noexcept
    : outer_(std::exchange(this_thread, &w)), outer_note_(set_running_note(&w.running_)) {}
worker::stand_in::~stand_in() {
  this_thread = outer_;
  set_running_note(outer_note_);
}

void worker::enter() noexcept {
  outer_ = std::exchange(this_thread, this);
  outer_note_ = set_running_note(&running_);
  if (seat_) seat_->enter();
  if (simulated_) simulated_->begin(true);
  go_active();
  pause_if_asked();
}

void worker::leave() noexcept {
  if (simulated_) simulated_->end();
  inbox_.fall_asleep();
  if (seat_) seat_->leave();
  this_thread = std::exchange(outer_, nullptr);
  set_running_note(outer_note_);
}

void worker::go_active() noexcept {
  inbox_.wake_up();
  if (index_ != guest) runtime_.note_activity();
}

// ---- putting things into the queues

void worker::pinned::schedule(resumable& r, urgency how) noexcept {
  worker& w = worker_;
  if (this_thread == &w) {
    // Where nobody steals, all our queues are for us alone.
    if (w.rings_)
      w.pinned_.push_back(r);
    else
      w.push(r, how);
    return;
  }
  visitors::visit here(w.inside_);
  if (w.inbox_.push(r)) w.wake();
}

void worker::push(resumable& r, urgency how) noexcept {
  if (!rings_) {
    how == urgency::next ? hot_.push_front(r) : pinned_.push_back(r);
    return;
  }
  if (how == urgency::queued) {
    push_line(r);
  } else if (!next_.load(std::memory_order_relaxed)) {
    // Only we put something there, so what is empty stays empty. release: pairs with take_next() of the monitor.
    next_.store(&r, std::memory_order_release);
    return;  // we run it ourselves: nobody is woken for it
  } else if (resumable* older = next_.exchange(&r, std::memory_order_acq_rel)) {
    displace(*older);
  }
  // A glance at who sleeps, without the fence that would make it certain (it costs as much as the rest of a turn): a
  // worker that falls asleep at this very moment may have missed what we pushed, and we that it sleeps. So there is a
  // second glance before the next turn, when both can be seen, and a certain one every 61 turns; if this turn is long, the
  // monitor sees to it. poll_world() announces what it brought, all at once.
  pushed_ = true;
  if (!polling_ && runtime_.idlers().wants_work()) announce();
}

void worker::announce() noexcept {
  pushed_ = false;
  rings_->stack.announce();
  rings_->line.announce();
  runtime_.notify(*this);
}

// A full ring gives its older half to spill_; less, or nothing, if thieves are quicker, but then there is room as well.
void worker::push_line(resumable& r) noexcept {
  while (!rings_->line.push(&r))
    if (const auto half = rings_->line.take_oldest_half(); half.first) spill_.push_back(half);
}

void worker::displace(resumable& r) noexcept {
  while (!rings_->stack.push(&r))
    if (const auto half = rings_->stack.take_oldest_half(); half.first) spill_.push_front(half);
}

bool worker::take_back_shared(resumable& r) noexcept {
  // Only if it is there is anything spent on it; that it is gone a moment later is rare.
  resumable* const next = next_.load(std::memory_order_relaxed);
  if (!next) return rings_->stack.is_newest(&r) && spend() && rings_->stack.pop_if(&r);
  resumable* expected = &r;
  return next == &r && spend() &&
         next_.compare_exchange_strong(expected, nullptr, std::memory_order_acquire, std::memory_order_relaxed);
}

// ---- taking them out

resumable* worker::pop_pinned() noexcept {
  if (resumable* newest = inbox_.take()) {
    ready_list arrived;  // turns them round
    while (newest) arrived.push_front(*std::exchange(newest, newest->next_));
    pinned_.splice_back(arrived);
  }
  return pinned_.pop_front();
}

// Items that were taken together, oldest first: runs the newest next, keeps the rest at hand.
resumable* worker::adopt(work_chain<resumable> items) noexcept {
  resumable* r = items.first;
  while (r) {
    resumable* const following = r->next_;
    if (!following) return r;
    displace(*r);
    pushed_ = true;
    r = following;
  }
  return nullptr;
}

// What came from outside goes to the end of the line. If it is more than we run now, others may have it: between the two
// queues they could not see it, and so may have fallen asleep.
void worker::take_injected_in_line() noexcept {
  if (index_ == guest) return;
  const work_chain<resumable> items = runtime_.take_injected(*this);
  for (resumable* r = items.first; r;) {
    resumable* const following = r->next_;
    rings_ ? push_line(*r) : pinned_.push_back(*r);
    r = following;
  }
  if (rings_ && items.count > 1) announce();
}

resumable* worker::next() noexcept {
  if (pause_asked_.load(std::memory_order_relaxed)) [[unlikely]]
    pause();
  if (++tick_ >= fair_turn) [[unlikely]] {
    tick_ = 0;
    if (resumable* r = next_in_turn()) return r;
  }
  return rings_ ? next_shared() : next_alone();
}

// Whoever would otherwise wait behind those that are always ready.
resumable* worker::next_in_turn() noexcept {
  if (!nothing_to_steal()) announce();
  if (const instant now = loop_.now(); now - last_look_ > longest_without_world || seat_) {
    last_look_ = now;
    poll_world();
  }
  take_injected_in_line();
  ++fair_turns_;
  if (!rings_) {
    if (fair_turns_ % fair_turns_of_stack == 0) pinned_.splice_back(hot_);
    return pop_pinned();
  }
  // Each of the three comes first in its turn.
  for (unsigned i = 0; i < 3; ++i) {
    resumable* r = nullptr;
    switch ((fair_turns_ + i) % 3) {
      case 0: r = rings_->line.steal(); break;
      case 1: r = pop_pinned(); break;
      default: r = rings_->stack.steal();
    }
    if (r) return r;
  }
  return nullptr;
}

resumable* worker::next_alone() noexcept {
  if (resumable* r = hot_.pop_front()) return r;
  if (resumable* r = pop_pinned()) return r;
  take_injected_in_line();
  poll_world();
  if (resumable* r = hot_.pop_front()) return r;
  return pop_pinned();
}

resumable* worker::next_shared() noexcept {
  if (next_.load(std::memory_order_relaxed)) {
    // An exchange, since the monitor may take it.
    if (resumable* r = next_.exchange(nullptr, std::memory_order_acquire)) {
      if (++hot_in_a_row_ <= hot_turns) return r;
      // Behind what it may have spawned all the while, or that would pile up.
      push_line(*r);
    }
  }
  hot_in_a_row_ = 0;
  if (resumable* r = rings_->stack.pop()) return r;
  if (!spill_.empty())
    if (resumable* r = adopt(spill_.pop(128))) return r;
  if (resumable* r = pop_pinned()) return r;
  if (resumable* r = rings_->line.steal()) return r;
  if (next_.load(std::memory_order_relaxed))
    if (resumable* r = next_.exchange(nullptr, std::memory_order_acquire)) return r;
  take_injected_in_line();
  poll_world();
  if (resumable* r = rings_->line.steal()) return r;
  if (resumable* r = pop_pinned()) return r;
  if (next_.load(std::memory_order_relaxed))
    if (resumable* r = next_.exchange(nullptr, std::memory_order_acquire)) return r;
  // What the world displaced from next_, if the monitor has taken that: nobody else looks for our own before we sleep.
  if (resumable* r = rings_->stack.pop()) return r;
  return steal();
}

resumable* worker::steal() noexcept {
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
      counters_.steals.add();
      return r;
    }
  }
  return nullptr;
}

resumable* worker::steal_from(worker& victim) noexcept {
  // The oldest of the stack are the roots of the largest pieces of work; of a long one take some more.
  if (resumable* r = victim.rings_->stack.steal()) {
    counters_.stolen.add();
    for (std::size_t more = std::min<std::size_t>(victim.rings_->stack.size() / 2, 32); more; --more) {
      resumable* const also = victim.rings_->stack.steal();
      if (!also) break;
      counters_.stolen.add();
      displace(*std::exchange(r, also));
    }
    return r;
  }
  if (rings_->line.steal_half(victim.rings_->line)) {
    counters_.stolen.add();
    if (resumable* r = rings_->line.steal()) return r;
  }
  if (!victim.spill_.empty()) {
    counters_.stolen.add();
    return adopt(victim.spill_.pop(64));
  }
  return nullptr;
}

// ---- running

void worker::resume(resumable& r) noexcept {
  if (searching_) {
    searching_ = false;
    look_every_ = 1;
    // The last one to stop searching wakes the next: there may be more where this came from.
    if (runtime_.idlers().stop_searching()) runtime_.notify(*this);
  }
  // The second glance: see push().
  if (pushed_) {
    pushed_ = false;
    // Nobody is woken for `r`, if that is all there was.
    if (runtime_.idlers().wants_work() && queued() != 0) announce();
  }
  turns_.add();
  operations_left_ = slice_operations;
  if (slice_over_.load(std::memory_order_relaxed)) slice_over_.store(false, std::memory_order_relaxed);
  run(r);
  running_.task_id.store(0, std::memory_order_relaxed);
}

bool worker::spend() noexcept {
  if (--operations_left_ != 0 && !slice_over_.load(std::memory_order_relaxed) &&
      !pause_asked_.load(std::memory_order_relaxed)) [[likely]]
    return true;
  operations_left_ = 1;    // and so until the turn ends
  tick_ += fair_turn / 4;  // such turns are long: the world is asked after four of them
  counters_.yields_forced.add();
  return false;
}

bool spend_slice() noexcept {
  worker* const here = this_thread;
  return !here || here->spend();
}

bool worker::poll_world() noexcept {
  polling_ = true;
  const bool any = loop_.poll(true);
  polling_ = false;
  // One wake for all that the world brought, and none for what we are about to run ourselves.
  if (any && rings_ && queued() > 1) announce();
  return any;
}

// Nothing was ready a moment ago. A short while of watching is cheaper than falling asleep and being woken (30 us on the
// machines this was measured on), and it is what makes a lone connection fast; how long is learnt from the last waits.
bool worker::spin() noexcept {
  if (spin_limit_ < 1000) return false;
  const instant end = loop_.now() + spin_limit_;
  unsigned until_look = look_every_;
  do {
    // Once in eight looks: on epoll that is a system call.
    if (loop_.ready() && poll_world()) return true;
    for (int i = 0; i < 8; ++i) {
      if (own_work() || runtime_.stopping()) return true;
      if (index_ != guest && runtime_.any_injected()) return true;
      if (searching_ && --until_look == 0) {
        // Less and less often, at most every one to two microseconds: a look takes the lines of those queues from the
        // worker that is at work on them, and four tasks that hand a lock around on it then take 350 ns each instead of
        // 130.
        if (look_every_ < 32) look_every_ *= 2;
        until_look = look_every_;
        if (runtime_.anything_to_steal(*this)) return true;
      }
      relax();
    }
    // Who shares the core with us may be the one we wait for.
    std::this_thread::yield();
  } while (loop_.now() < end);
  return false;
}

bool worker::has_any_work() const noexcept {
  if (own_work() || runtime_.stopping()) return true;
  return index_ != guest && (runtime_.any_injected() || runtime_.anything_to_steal(*this));
}

void worker::idle() noexcept {
  if (spin()) return;
  const auto sleep = [this] {
    // Whoever puts something into our inbox, wants us to pause, or stops, looks at this afterwards.
    inbox_.fall_asleep();
    if (!own_work() && !runtime_.stopping()) {
      counters_.parks.add();
      const instant before = loop_.now();
      const bool by_timer = loop_.wait();
      // A timer's time is known: watching would not have made it sooner.
      spin_limit_ = !by_timer && !seat_ && loop_.now() - before < longest_spin ? longest_spin : spin_limit_ / 2;
    }
    go_active();
  };
  if (index_ == guest)
    sleep();
  else if (!runtime_.idlers().sleep(index_, searching_, [this] { return has_any_work(); }, sleep))
    return;
  pause_if_asked();
  poll_world();
}

void worker::nap() noexcept {
  if (poll_world()) return;
  if (seat_) {
    seat_->be_brief();
    loop_.wait();
  } else {
    rest();
  }
}

void worker::rest() noexcept { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

void worker::ask_to_pause(bool on) noexcept {
  pause_asked_.store(on, std::memory_order_seq_cst);
  if (!on) pause_asked_.notify_all();
}

void worker::pause() noexcept {
  do {
    inbox_.fall_asleep();
    pause_asked_.wait(true, std::memory_order_seq_cst);
    go_active();
  } while (pause_asked_.load(std::memory_order_seq_cst));
}

}  // namespace astd::detail
