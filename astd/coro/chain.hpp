// A chain of awaits, the scope in which it can be cancelled, and the point where it is suspended.
//
// A coroutine that awaits a coroutine that awaits a read is one chain: one line of execution, of which only the
// innermost end can be suspended or run. `spawn` starts a chain; join, race, timeout and the like start one for
// each branch. Every chain is a cancel scope of its own: its slot says whether a stop was requested and, while the
// chain is suspended, in which operation, so that the request can be passed on to it.
//
// The protocol (docs/design/coroutines.md), two uncontended compare-exchanges for each suspension:
//   start       slot: empty -> operation, then submit. If the slot says "requested": stop instead.
//   completion  slot: operation -> empty, then resume. If that fails, a canceller holds the operation: whichever of
//               the two is done last resumes the chain.
//   request     exchange the slot with "requested"; if it held an operation, ask that to stop (request_stop).
// A value that arrived is delivered; a chain that is to stop does so at its next suspension. Stopping destroys the
// chain's frames from the innermost out, without an exception, and then resumes the chain's owner.
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/coro/executor.hpp>
#include <astd/coro/resumable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>

namespace astd::detail {

class suspension;
class promise_base;
struct task_header;
struct local_binding;

class chain {
 public:
  chain(const chain&) = delete;
  chain& operator=(const chain&) = delete;

  /// `ended` is called (as a resumable) when the outermost await has ended or everything was unwound; stopped()
  /// tells which.
  /// `is_task`: it is the root of a task_header.
  chain(resume_function ended, executor& on, bool is_task) noexcept
      : end_(ended, &on), kind_(is_task ? kind::task : kind::taskless) {}
  /// A branch of another chain; begin_in() says of which, before it starts.
  explicit chain(resume_function ended) noexcept : end_(ended), kind_(kind::branch) {}
  void begin_in(const chain& outer) noexcept {
    end_.second_ = const_cast<chain*>(&outer.root());
    locals_ = outer.locals_;
  }

  /// Asks the chain to stop. Any thread; never blocks; idempotent. The caller keeps the chain alive until it returns.
  void request_cancel() noexcept;
  [[nodiscard]] bool cancel_requested() const noexcept {
    return slot_.load(std::memory_order_acquire) == requested;
  }
  /// Whether the chain ended by unwinding. Valid in `ended` and later.
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }
  /// For an owner that never started it.
  void set_stopped() noexcept { stopped_ = true; }

  /// Whether it is a task's outermost chain that has not suspended since it began: only its thread knows of it so far.
  /// Whatever is to outlast the first suspension is done then, by executor::settle(); a task that ends before is spared
  /// it.
  [[nodiscard]] bool is_fresh() const noexcept { return fresh_; }
  void set_fresh(bool fresh) noexcept { fresh_ = fresh; }
  /// To be called before anyone else can resume the chain.
  void settle() noexcept {
    if (fresh_) [[unlikely]]
      on().settle(*task());
  }

  [[nodiscard]] resumable& end() noexcept { return end_; }
  [[nodiscard]] executor& on() const noexcept { return *static_cast<executor*>(root().end_.second_); }
  /// Null in a coroutine that is not astd's.
  [[nodiscard]] task_header* task() const noexcept {
    const chain& r = root();
    if (r.kind_ != kind::task) return nullptr;
    return reinterpret_cast<task_header*>(reinterpret_cast<std::uintptr_t>(&r) - place_in_task);
  }
  /// The innermost of the values that task_local::with() has bound for this chain.
  [[nodiscard]] const local_binding* locals() const noexcept { return locals_; }
  void set_locals(const local_binding* innermost) noexcept { locals_ = innermost; }

  // For dumps, and only while nobody runs the chain:
  /// The frame that awaits whatever the chain is suspended in; null while it runs, and if it has no frame.
  [[nodiscard]] promise_base* innermost() const noexcept;
  /// What it is, or was last, suspended in; null while it runs, and if that is not astd's.
  [[nodiscard]] const suspension* suspended_in() const noexcept {
    const std::uintptr_t in = suspended_.load(std::memory_order_acquire);
    return in & 1 ? nullptr : reinterpret_cast<const suspension*>(in);
  }
  /// Whether it runs, or waits for a task that was joined in the same turn: then it may go on at any moment.
  [[nodiscard]] bool is_running() const noexcept { return suspended_.load(std::memory_order_relaxed) == 0; }
  /// Whether that has ended, so that the chain is only waiting for its turn.
  [[nodiscard]] bool is_ready() const noexcept { return slot_.load(std::memory_order_acquire) == empty; }
  void set_suspended(const suspension& in) noexcept {
    suspended_.store(reinterpret_cast<std::uintptr_t>(&in), std::memory_order_release);
  }
  /// In something that is not astd's.
  void set_suspended_elsewhere(promise_base& innermost) noexcept {
    suspended_.store(reinterpret_cast<std::uintptr_t>(&innermost) | 1, std::memory_order_release);
  }
  void set_running() noexcept { suspended_.store(0, std::memory_order_relaxed); }

  /// The owner's `ended` function finds its chain by this.
  static chain& from_end(resumable* r) noexcept { return *reinterpret_cast<chain*>(r); }

 private:
  friend class suspension;
  friend struct task_header;
  static constexpr std::uintptr_t empty = 0, requested = 1;
  static constexpr std::size_t place_in_task = 16;  // of a task_header's root
  enum class kind : std::uint8_t { task, taskless, branch };
  /// The outermost chain of the same line of execution.
  [[nodiscard]] const chain& root() const noexcept {
    return kind_ == kind::branch ? *static_cast<const chain*>(end_.second_) : *this;
  }

  resumable end_;  // first: see from_end(); its second_ is the executor, and a branch's its root
  atomic<std::uintptr_t> slot_{empty};
  // A suspension*, or a promise_base* with the lowest bit set. A dump reads it while a worker is stuck that may write it:
  // its acquire pairs with the release, and it sees the frames as they were left.
  std::atomic<std::uintptr_t> suspended_{0};
  const local_binding* locals_ = nullptr;
  kind kind_;
  bool stopped_ = false;
  bool fresh_ = false;
};

/// The chain that this thread is running, or null outside of tasks.
chain* current_chain() noexcept;
void set_current_chain(chain* c) noexcept;
/// The same, where `c` goes on from the current await of `frame`, if that is not null.
void set_current_chain(chain* c, const promise_base* frame) noexcept;

/// What a thread was last seen running: written by set_current_chain, read by other threads at any time.
struct running_note {
  std::atomic<std::uint64_t> task_id{0};
  std::atomic<std::source_location> where{};  // the await that it went on from
};
/// Where this thread leaves its note from now on; null: nowhere. Returns the previous place.
running_note* set_running_note(running_note* note) noexcept;

/// Who awaits: what to resume, in which chain, and which frame (null if the chain has none).
struct await_context {
  resumable* continuation;
  chain* in;
  promise_base* frame;
  bool chain_stays = true;  // until the awaiter is resumed; false if it only stands in for a coroutine not astd's
};

/// A point where a chain is suspended. Base of every awaiter that is not itself a coroutine; lives in the awaiting
/// frame. A derived class calls, in this order: attach, publish, and then exactly one of finish or complete.
class suspension : protected resumable {
 public:
  suspension(const suspension&) = delete;
  suspension& operator=(const suspension&) = delete;

  /// Asks the operation to end soon. Called at most once, on any thread, between publish() and the end of the
  /// suspension; whatever happens, stop_request_done() must follow, and nothing may be touched after that.
  virtual void request_stop() noexcept = 0;

  /// For dumps: what is waited for, such as "recv on descriptor 7". Called while the chain cannot run.
  virtual void describe(std::string& out, unsigned depth) const = 0;

 protected:
  suspension() noexcept = default;
  ~suspension() = default;

  void attach(const await_context& c) noexcept {
    c.in->settle();
    attach_quietly(c);
    c.in->set_suspended(*this);
  }
  /// Without a word to the chain: it will go on, on this thread, before anyone asks where it stands. If not, attach_late()
  /// makes up for it.
  void attach_quietly(const await_context& c) noexcept {
    chain_ = c.in;
    continuation_ = c.continuation;
    second_ = c.frame;
    chain_stays_ = c.chain_stays;
  }
  void attach_late() noexcept { chain_->set_suspended(*this); }

  /// Makes the operation known to cancellers. False: a stop was requested; return stop() then.
  [[nodiscard]] bool publish() noexcept {
    std::uintptr_t expected = chain::empty;
    // release: pairs with the acquire in request_cancel, which then reads this object.
    return chain_->slot_.compare_exchange_strong(expected, reinterpret_cast<std::uintptr_t>(this),
                                                 std::memory_order_release, std::memory_order_acquire);
  }

  /// For a suspension that was never published: what to go on with if the chain is to stop here.
  [[nodiscard]] resumable* stop() noexcept {
    stopped_ = true;
    return next();
  }
  /// For a suspension that was never published: what to go on with when it has ended by itself.
  [[nodiscard]] resumable* go_on() noexcept { return continuation_; }

  /// Ends a published suspension; what to go on with, or null if a canceller will see to it. Called once. Nothing of
  /// this object may be touched afterwards.
  [[nodiscard]] resumable* finish(bool stopped) noexcept {
    stopped_ = stopped;
    std::uintptr_t expected = reinterpret_cast<std::uintptr_t>(this);
    if (chain_->slot_.compare_exchange_strong(expected, chain::empty, std::memory_order_acq_rel,
                                              std::memory_order_acquire))
      return next();
    return meet(completed_bit, request_bit) ? next() : nullptr;
  }

  /// The same, and puts what comes next into the chain's executor.
  void complete(bool stopped, urgency how = urgency::next) noexcept {
    executor& on = chain_->on();
    if (resumable* r = finish(stopped)) on.schedule(*r, how);
  }

  /// The canceller's (or its delegate's) last word.
  void stop_request_done() noexcept {
    executor& on = chain_->on();
    if (meet(request_bit, completed_bit)) on.schedule(*next(), urgency::next);
  }

  /// To be called first in await_resume of an awaiter that may have been suspended.
  void resumed() noexcept {
    if (!chain_ || !chain_stays_) return;
    set_current_chain(chain_, frame());
    chain_->set_running();  // we may be gone before the next suspension
  }

  /// Not to be used in or behind await_resume.
  [[nodiscard]] chain* in() const noexcept { return chain_; }
  [[nodiscard]] promise_base* frame() const noexcept { return static_cast<promise_base*>(second_); }

 private:
  friend class chain;
  static constexpr std::uint8_t completed_bit = 1, request_bit = 2;

  // True if the other side has been here already: then the chain is ours to go on with. acq_rel: each side sees what
  // the other did before.
  bool meet(std::uint8_t mine, std::uint8_t others) noexcept {
    return (meeting_.fetch_or(mine, std::memory_order_acq_rel) & others) != 0;
  }
  resumable* next() noexcept {
    if (!stopped_) [[likely]]
      return continuation_;
    set_resume(&unwind);
    return this;
  }
  static void unwind(resumable* r);

  // As a resumable it unwinds the chain; second_ is the awaiting frame's promise.
  // The two pointers are apart because compilers copy neighbours by one 16-byte load: of what was just written in two
  // halves, that takes the processor 5 ns.
  chain* chain_ = nullptr;
  atomic<std::uint8_t> meeting_{0};
  bool stopped_ = false;
  bool chain_stays_ = true;
  resumable* continuation_ = nullptr;
};

}  // namespace astd::detail
