// A worker: a thread that runs ready tasks, and the loop that brings them news from the world.
//
// What is ready lies in one of these places, looked at in this order:
//   next_    the task that was woken or spawned last; taken by others only when this worker seems stuck
//   stack    what next_ was displaced by: newest first for us, oldest first for thieves
//   spill_   what did not fit the stack or the line
//   pinned_  tasks bound to this thread (spawn_local, block_on)
//   line     first in, first out: tasks that yielded or that the world woke
// so that work close at hand stays hot and fork-join goes depth first. Every 61st turn the order is turned round, and
// the world asked if it was not for long, so that nothing waits for ever behind tasks that keep waking each other.
//
// A worker that nobody steals from (the only one, one of a runtime without stealing, a thread in block_on) does the
// same with two plain lists and no atomic operation: hot_ for next_ and the stack, pinned_ for the line.
#pragma once

#include <astd/base/config.hpp>
#include <astd/base/counter.hpp>
#include <astd/coro/chain.hpp>
#include <astd/coro/executor.hpp>
#include <astd/runtime/inbox.hpp>
#include <astd/runtime/loop.hpp>
#include <astd/runtime/ready_list.hpp>
#include <astd/runtime/settle.hpp>
#include <astd/runtime/shared_queue.hpp>
#include <astd/runtime/task_registry.hpp>
#include <astd/runtime/virtual_clock.hpp>
#include <astd/runtime/visitors.hpp>
#include <astd/runtime/work_queue.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace astd::detail {

class runtime_core;
class simulated_worker;
class simulation;

class worker {
 public:
  /// `index`: its place among the runtime's workers, or `guest` for a thread inside block_on, which runs pinned tasks
  /// only.
  static constexpr unsigned guest = ~0u;
  worker(runtime_core& runtime, unsigned index);
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker();

  /// The worker that the calling thread is, or null.
  static worker* current() noexcept;
  /// What the thread was before enter(); null outside of that.
  [[nodiscard]] worker* outer() const noexcept { return outer_; }
  /// Makes the calling thread this worker for one turn.
  class stand_in {
   public:
    explicit stand_in(worker& w) noexcept;
    ~stand_in();
    stand_in(const stand_in&) = delete;
    stand_in& operator=(const stand_in&) = delete;

   private:
    worker* const outer_;
    running_note* const outer_note_;
  };
  /// Makes the calling thread this worker until leave(); they nest.
  void enter() noexcept;
  void leave() noexcept;

  /// Runs what is ready, and sleeps when nothing is, until stop() says so (asked between two tasks).
  template <class Stop>
  void run_until(Stop stop) noexcept {
    for (;;) {
      if (stop()) return;
      if (resumable* r = next())
        resume(*r);
      else
        idle();
    }
  }

  /// The same, but never sleeps for longer than a millisecond, so that stop() may depend on the time.
  template <class Stop>
  void run_while_ready(Stop stop) noexcept {
    while (!stop()) {
      if (resumable* r = next())
        resume(*r);
      else
        nap();
    }
  }
  /// The same for a worker whose loop cannot be opened. What it was given has never begun, and is only to end: that
  /// happens on the calling thread as on one outside of all runtimes.
  template <class Stop>
  void end_unbegun(Stop stop) noexcept {
    while (!stop()) {
      take_injected_in_line();
      if (resumable* r = pop_pinned())
        run(*r);
      else
        rest();
    }
  }
  /// Runs `r` first, whatever else is ready.
  void run_first(resumable& r) noexcept { resume(r); }
  /// Takes its turns in `s` instead, from begin() on. Its loop is open.
  void simulate(simulation& s);
  /// As enter(), for a worker that is on whichever thread drives the simulation.
  void wake_up_simulated() noexcept;
  /// Null: it has a thread of its own.
  [[nodiscard]] simulated_worker* simulated() const noexcept { return simulated_.get(); }

  /// Between two turns: waits if a dump wants that.
  void pause_if_asked() noexcept {
    if (pause_asked_.load(std::memory_order_seq_cst)) pause();
  }

  // ---- the owner's
  void push(resumable& r, urgency how) noexcept;
  /// If `r` is what would run next and this turn may go on, takes it: the caller transfers to it.
  bool take_back(resumable& r) noexcept {
    if (rings_) return take_back_shared(r);
    if (hot_.front() != &r || !spend()) return false;
    hot_.pop_front();
    return true;
  }
  /// A task goes on without having suspended: false when it is time to let others run.
  bool spend() noexcept;

  // ---- anyone's
  [[nodiscard]] executor& pinned_executor() noexcept { return pinned_executor_; }
  /// What tasks spawned on this thread belong to, unless asked otherwise.
  [[nodiscard]] executor& executor_for_new_tasks() noexcept { return for_new_tasks_; }
  [[nodiscard]] runtime_core& runtime() const noexcept { return runtime_; }
  [[nodiscard]] loop& events() noexcept { return loop_; }
  [[nodiscard]] const loop& events() const noexcept { return loop_; }
  [[nodiscard]] task_registry& tasks() noexcept { return tasks_; }
  [[nodiscard]] unsigned index() const noexcept { return index_; }
  void wake() noexcept { loop_.wake(); }
  /// Whether what `on` schedules runs on this thread as well as on any.
  [[nodiscard]] bool runs(const executor& on) const noexcept {
    return &on == shared_executor_ || &on == &pinned_executor_;
  }
  /// Nothing that another worker could take. seq_cst: see idle_set.
  [[nodiscard]] bool nothing_to_steal() const noexcept {
    return !rings_ || (rings_->stack.empty() && rings_->line.empty() && spill_.empty());
  }

  // For the monitor, and for dumps.
  [[nodiscard]] std::uint64_t turns() const noexcept { return turns_; }
  [[nodiscard]] bool active() const noexcept { return inbox_.awake(); }
  void ask_to_pause(bool on) noexcept;
  void end_slice() noexcept { slice_over_.store(true, std::memory_order_relaxed); }
  /// Takes what runs next away from a worker that is stuck.
  resumable* take_next() noexcept { return next_.exchange(nullptr, std::memory_order_acq_rel); }
  [[nodiscard]] const running_note& running() const noexcept { return running_; }
  [[nodiscard]] std::size_t queued() const noexcept {
    const std::size_t own = hot_.size() + pinned_.size();
    if (!rings_) return own;
    return own + rings_->stack.size() + rings_->line.size() + spill_.size() +
           (next_.load(std::memory_order_relaxed) ? 1 : 0);
  }

  /// Whether anything lies here that is to be run. Exact while the worker sleeps and nobody pushes.
  [[nodiscard]] bool has_work() const noexcept { return own_work() || queued() != 0; }

  struct counters {
    counter parks, steals, stolen, yields_forced;
  };
  [[nodiscard]] const counters& count() const noexcept { return counters_; }

 private:
  friend class simulated_worker;
  class pinned : public executor {
   public:
    explicit pinned(worker& w) noexcept : worker_(w) {}
    void schedule(resumable& r, urgency how) noexcept override;
    void settle(task_header& t) noexcept override { settle_task(t); }

   private:
    worker& worker_;
  };

  // What others may take from; none if nobody steals from us.
  struct rings {
    work_queue<resumable, 8192> stack;
    fifo_queue<resumable, 1024> line;
  };

  static constexpr unsigned fair_turn = 61;
  static constexpr unsigned fair_turns_of_stack = 16;  // after as many, what lies deep in hot_ gets its turn
  static constexpr unsigned hot_turns = 32;            // of next_ in a row, before the others get a turn
  static constexpr unsigned slice_operations = 128;    // that end at once, before a task is asked to yield
  static constexpr instant longest_spin = 50'000;
  // How long what is ready goes before what may be waiting in the world. Not shorter: a server that takes in new
  // requests before it has answered the last ones has hundreds half-way, and finds each cold when its turn comes.
  static constexpr instant longest_without_world = 500'000;

  void resume(resumable& r) noexcept;
  resumable* next() noexcept;
  resumable* next_alone() noexcept;
  resumable* next_shared() noexcept;
  resumable* next_in_turn() noexcept;
  resumable* adopt(work_chain<resumable> items) noexcept;
  resumable* pop_pinned() noexcept;
  void take_injected_in_line() noexcept;
  resumable* steal() noexcept;
  resumable* steal_from(worker& victim) noexcept;
  void push_line(resumable& r) noexcept;
  void displace(resumable& r) noexcept;
  bool take_back_shared(resumable& r) noexcept;
  void announce() noexcept;
  void idle() noexcept;
  void nap() noexcept;
  static void rest() noexcept;
  bool spin() noexcept;
  [[nodiscard]] bool has_any_work() const noexcept;
  void pause() noexcept;
  void go_active() noexcept;
  bool poll_world() noexcept;
  [[nodiscard]] bool own_work() const noexcept { return !inbox_.empty(); }

  runtime_core& runtime_;
  const unsigned index_;
  worker* outer_ = nullptr;  // what this thread was before enter()
  running_note* outer_note_ = nullptr;

  // The owner's.
  unsigned tick_ = 0;
  instant last_look_ = 0;  // at the world in spite of ready work; what is seen in idle moments may not be all
  unsigned hot_in_a_row_ = 0;
  unsigned fair_turns_ = 0;
  unsigned operations_left_ = slice_operations;
  bool searching_ = false;
  bool pushed_ = false;   // something that others might take, since the last announce()
  bool polling_ = false;  // completions are being run: wake others once, afterwards
  std::uint32_t random_;
  instant spin_limit_ = longest_spin;
  unsigned look_every_ = 1;  // so many pauses, while it finds nothing to steal
  ready_list hot_;
  ready_list pinned_;
  counters counters_;
  counter turns_;
  running_note running_;

  // Written by others.
  alignas(cache_line_pair) inbox<resumable> inbox_;  // pinned tasks woken by other threads
  std::atomic<bool> slice_over_{false};
  std::atomic<bool> pause_asked_{false};
  visitors inside_;  // in pinned::schedule()

  alignas(cache_line_pair) std::atomic<resumable*> next_{nullptr};
  const std::unique_ptr<rings> rings_;
  shared_queue spill_;
  task_registry tasks_{runtime_, false};
  pinned pinned_executor_;
  executor* const shared_executor_;  // the runtime, if this is one of its workers
  executor& for_new_tasks_;
  const std::unique_ptr<virtual_clock::seat> seat_;  // null: the machine's time
  loop loop_;
  std::unique_ptr<simulated_worker> simulated_;
};

}  // namespace astd::detail
