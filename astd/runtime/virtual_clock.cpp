#include <astd/coro/chain.hpp>
#include <astd/coro/task_header.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/virtual_clock.hpp>
#include <astd/runtime/worker.hpp>

#include <algorithm>
#include <cstdio>
#include <new>
#include <string>
#include <utility>

namespace astd::detail {

class virtual_clock::seat::virtual_driver final : public driver::driver {
 public:
  virtual_driver(seat& of, std::unique_ptr<driver> real) noexcept : seat_(of), real_(std::move(real)) {}

  std::string_view name() const noexcept override { return real_->name(); }
  bool submit(astd::driver::operation& op) noexcept override { return real_->submit(op); }
  void cancel(astd::driver::operation& op) noexcept override { real_->cancel(op); }
  std::int32_t next_connection(astd::driver::operation& op) noexcept override { return real_->next_connection(op); }
  void collect(astd::driver::completions& done, bool owner) noexcept override { real_->collect(done, owner); }
  bool ready() const noexcept override { return real_->ready(); }
  void prepare_wait() noexcept override { real_->prepare_wait(); }
  // The deadline is looked up when the clock is to jump: it may have changed by then.
  void wait(instant) noexcept override { seat_.wait(); }
  void wake() noexcept override { real_->wake(); }
  instant now() const noexcept override { return seat_.clock_.now(); }
  const astd::driver::counters& count() const noexcept override { return real_->count(); }

 private:
  seat& seat_;
  const std::unique_ptr<driver> real_;
};

std::unique_ptr<driver::driver> virtual_clock::seat::stand_before(std::unique_ptr<driver::driver> real) {
  real_ = real.get();
  return std::make_unique<virtual_driver>(*this, std::move(real));
}

void virtual_clock::seat::enter() noexcept {
  const chain* const c = current_chain();
  const task_header* const t = c ? c->task() : nullptr;
  std::lock_guard guard(clock_.lock_);
  on_pool_ = worker_.index() == worker::guest && t && t->root.is_blocking_call && t->registry &&
             &t->registry->runtime() == &clock_.core_;
  if (on_pool_) ++clock_.on_pool_;
  clock_.seats_.push_back(*this);
  ++clock_.awake_;
  ++clock_.activity_;
}

void virtual_clock::seat::leave() noexcept {
  std::lock_guard guard(clock_.lock_);
  intrusive_list<seat>::erase(*this);
  if (std::exchange(on_pool_, false)) --clock_.on_pool_;
  --clock_.awake_;
  clock_.let_somebody_decide();
}

void virtual_clock::seat::wait() noexcept {
  instant longest = never;
  bool report = false;
  std::uint64_t activity;
  const bool in_flight = real_->count().in_flight() != 0;
  const instant begin = real_->now();
  {
    std::lock_guard guard(clock_.lock_);
    if (const std::uint64_t turns = worker_.turns(); turns != std::exchange(turns_, turns)) ++clock_.activity_;
    --clock_.awake_;
    const verdict now = clock_.decide();
    switch (now) {
      case verdict::stands:
      case verdict::jumped: break;
      case verdict::busy: longest = grace / 10; break;
      case verdict::resting: longest = grace; break;
      case verdict::stuck: longest = patience; break;
    }
    if (now == verdict::stuck) {
      if (clock_.stuck_activity_ != clock_.activity_) {
        clock_.stuck_activity_ = clock_.activity_;
        clock_.stuck_since_ = begin;
        clock_.stuck_reported_ = false;
      } else if (begin - clock_.stuck_since_ >= patience) {
        report = !std::exchange(clock_.stuck_reported_, true);
      }
    }
    activity = clock_.activity_;
  }
  if (report) clock_.report_stuck();
  if (in_flight || std::exchange(brief_, false)) longest = std::min(longest, grace);
  real_->wait(longest == never ? never : begin + longest);
  std::lock_guard guard(clock_.lock_);
  ++clock_.awake_;
  if (real_->now() - begin >= grace) rested_ = activity;
}

// Under the lock.
virtual_clock::verdict virtual_clock::decide() noexcept {
  if (awake_ != 0 || holds_ != 0 || passing_ == 0) return verdict::stands;
  // The pool first: what its calls have pushed can be seen when it is quiet.
  const blocking_pool::metrics pool = core_.blocking().measure();
  if (pool.queued != 0 || pool.threads - pool.idle > on_pool_) return verdict::busy;
  if (pool.completed != std::exchange(pool_calls_, pool.completed)) ++activity_;
  if (core_.any_injected()) return verdict::busy;
  for (seat* s = seats_.front(); s; s = seats_.after(*s))
    if (s->worker_.has_work()) return verdict::busy;
  bool in_flight = false;
  for (seat* s = seats_.front(); s; s = seats_.after(*s)) {
    if (s->real_->count().in_flight() == 0) continue;
    in_flight = true;
    if (s->rested_ != activity_) return verdict::resting;
  }
  instant next = never;
  for (seat* s = seats_.front(); s; s = seats_.after(*s))
    next = std::min(next, s->worker_.events().earliest_deadline());
  if (next == never) return in_flight ? verdict::resting : verdict::stuck;
  // release: pairs with the acquire in now().
  if (next > now_.load(std::memory_order_relaxed)) now_.store(next, std::memory_order_release);
  for (seat* s = seats_.front(); s; s = seats_.after(*s))
    if (s->worker_.events().earliest_deadline() <= next) s->real_->wake();
  return verdict::jumped;
}

// Under the lock: something has changed without anybody falling asleep.
void virtual_clock::let_somebody_decide() noexcept {
  if (awake_ == 0)
    if (seat* s = seats_.front()) s->real_->wake();
}

void virtual_clock::hold() noexcept {
  std::lock_guard guard(lock_);
  ++holds_;
}

void virtual_clock::release() noexcept {
  std::lock_guard guard(lock_);
  --holds_;
  ++activity_;
  let_somebody_decide();
}

void virtual_clock::start() noexcept {
  std::lock_guard guard(lock_);
  ++passing_;
  let_somebody_decide();
}

void virtual_clock::stop() noexcept {
  std::lock_guard guard(lock_);
  --passing_;
}

void virtual_clock::report_stuck() noexcept {
#if ASTD_HAS_EXCEPTIONS
  try {
#endif
    const std::string text = core_.dump_tasks();
    std::fprintf(
        stderr,
        "astd: runtime '%s': every task waits, no timer is set and no operation is under way: nothing will "
        "happen unless another thread acts\n%s",
        core_.options().name.c_str(), text.c_str());
#if ASTD_HAS_EXCEPTIONS
  } catch (const std::bad_alloc&) {  // it was only meant to help
  }
#endif
}

virtual_clock* virtual_clock_here() noexcept {
  if (const worker* w = worker::current()) return w->runtime().clock();
  const chain* const c = current_chain();
  const task_header* const t = c ? c->task() : nullptr;
  return t && t->registry ? t->registry->runtime().clock() : nullptr;
}

void clock_hold::begin() noexcept {
  held_ = virtual_clock_here();
  if (held_) held_->hold();
}

void clock_hold::end() noexcept {
  if (virtual_clock* const c = std::exchange(held_, nullptr)) c->release();
}

}  // namespace astd::detail
