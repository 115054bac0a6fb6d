// What a runtime is made of: workers, the queue for what comes from outside, the blocking pool, the monitor.
#pragma once

#include <astd/coro/executor.hpp>
#include <astd/runtime/blocking_operations.hpp>
#include <astd/runtime/blocking_pool.hpp>
#include <astd/runtime/idle_set.hpp>
#include <astd/runtime/monitor.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/settle.hpp>
#include <astd/runtime/shared_queue.hpp>
#include <astd/runtime/simulation.hpp>
#include <astd/runtime/task_registry.hpp>
#include <astd/runtime/virtual_clock.hpp>
#include <astd/runtime/visitors.hpp>
#include <astd/runtime/worker.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace astd::detail {

class simulated_calls;

/// What ASTD_DRIVER says. Throws system_error (invalid_argument).
driver::choice driver_from_environment();

class runtime_core final : public executor {
 public:
  /// `in`: the machine it runs on is simulated; both live longer. Null: as options.driver says.
  runtime_core(runtime& owner, runtime_options options, simulation* in = nullptr,
               driver::sim::machine* machine = nullptr);
  ~runtime_core();

  // ---- scheduling
  /// Runs `r` on the workers: on the calling one if it is one of ours, else on whichever is free first.
  void schedule(resumable& r, urgency how) noexcept override;
  void settle(task_header& t) noexcept override { settle_task(t); }
  void inject(resumable& r) noexcept;
  [[nodiscard]] work_chain<resumable> take_injected(worker& by) noexcept;
  [[nodiscard]] bool any_injected() const noexcept;
  /// Wakes a sleeping worker if one is needed for work that `by` has pushed.
  void notify(worker& by) noexcept {
    if (steals_from(by)) wake_one();
  }
  void wake_one() noexcept;
  /// Whether others take work from `w` (and it from them).
  [[nodiscard]] bool steals_from(const worker& w) const noexcept { return stealing_ && w.index() != worker::guest; }
  [[nodiscard]] bool anything_to_steal(const worker& except) const noexcept;
  [[nodiscard]] idle_set& idlers() noexcept { return idlers_; }
  /// Where a task belongs that is spawned now by a thread that is no worker of ours.
  [[nodiscard]] executor& executor_from_outside() noexcept;
  /// The tasks that begin on threads that are no workers of ours.
  [[nodiscard]] task_registry& outside_tasks() noexcept { return outside_tasks_; }

  // ---- parts
  [[nodiscard]] unsigned worker_count() const noexcept { return static_cast<unsigned>(workers_.size()); }
  [[nodiscard]] worker& worker_at(unsigned i) noexcept { return *workers_[i]; }
  [[nodiscard]] blocking_pool& blocking() noexcept { return blocking_; }
  [[nodiscard]] const runtime_options& options() const noexcept { return options_; }
  [[nodiscard]] runtime& owner() noexcept { return owner_; }
  [[nodiscard]] driver::options driver_options() noexcept;
  /// Null: the machine's time.
  [[nodiscard]] virtual_clock* clock() const noexcept { return clock_.get(); }
  [[nodiscard]] bool stopping() const noexcept { return stopping_.load(std::memory_order_seq_cst); }
  /// Null: it runs on this machine.
  [[nodiscard]] simulation* simulated() const noexcept { return simulation_; }
  [[nodiscard]] driver::sim::machine* machine() const noexcept { return machine_; }
  /// A worker has stopped sleeping: the monitor must not sleep either.
  void note_activity() noexcept { monitor_.note_activity(); }
  /// f(worker) for each worker and each thread in block_on.
  template <class F>
  void each_loop(F&& f) {
    for (auto& w : workers_) f(*w);
    std::lock_guard guard(guests_lock_);
    for (auto& g : guests_) f(g->place);
  }

  // ---- threads in block_on
  /// A worker for the calling thread, which is none of this runtime's: the only one if the runtime has no threads.
  [[nodiscard]] worker& take_guest();
  void give_back_guest(worker& w) noexcept;
  /// Cancels what was spawned locally on a guest and runs it to its end.
  void end_local_tasks(worker& w) noexcept;

  // ---- ending and looking in
  /// Whether the calling thread is in a task of this runtime, or in one of its block_ons.
  [[nodiscard]] bool is_here() const noexcept;
  shutdown_report shutdown(std::chrono::nanoseconds limit);
  [[nodiscard]] runtime_metrics metrics();
  [[nodiscard]] std::string dump_tasks();
  /// Tasks that were spawned and have not ended.
  std::size_t alive() noexcept;
  /// Asks every task that was spawned to end, now or when it comes.
  void cancel_all() noexcept;

  static std::unique_ptr<runtime> make_simulated(runtime_options options, simulation& in,
                                                 driver::sim::machine& machine);
  static runtime_core& current();
  static runtime_core& core_of(runtime& r) noexcept { return *r.core_; }

 private:
  void begin_simulated();
  void end();
  void end_simulated();
  static void plan_simulated_call(blocking_pool& pool, void* self) noexcept;
  struct guest {
    guest(runtime_core& core, std::uint64_t of, std::weak_ptr<const void> life)
        : place(core, worker::guest), thread(of), thread_life(std::move(life)) {}
    worker place;
    std::uint64_t thread;  // a number that is never used again, as the system's ids are
    std::weak_ptr<const void> thread_life;
    bool busy = true;
  };
  void end_orphaned_guests();
  void run_worker(worker& w) noexcept;
  void stop_threads() noexcept;
  std::uint64_t launched() noexcept;
  shutdown_report shut_down_simulated(std::chrono::nanoseconds limit);
  shutdown_report report_shutdown();

  runtime& owner_;
  const runtime_options options_;
  const std::shared_ptr<simulation> own_simulation_;  // a plain runtime's share in one
  simulation* const simulation_;
  driver::sim::machine* const machine_;
  const bool stealing_;
  idle_set idlers_;
  static constexpr unsigned injection_shards = 8;
  struct injection_shard : shared_queue {
    visitors inside;  // in inject()
  };
  injection_shard injected_[injection_shards];
  task_registry outside_tasks_{*this, true};
  blocking_pool blocking_;
  blocking_operations blocking_operations_;
  std::unique_ptr<simulated_calls> simulated_calls_;
  const std::unique_ptr<virtual_clock> clock_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::mutex guests_lock_;
  std::vector<std::unique_ptr<guest>> guests_;
  bool closing_ = false;  // guarded by guests_lock_: a guest's tasks do not begin any more either
  std::atomic<bool> stopping_{false};
  std::atomic<unsigned> next_shard_{0};
  std::mutex dump_lock_;
  std::mutex shutdown_lock_;
  std::mutex own_worker_lock_;  // held by the thread that runs the only worker of a runtime without threads
  std::vector<std::thread> threads_;
  monitor monitor_;
};

/// While one is there, virtual time passes.
class passing_time {
 public:
  explicit passing_time(const runtime_core& core) noexcept : clock_(core.clock()) {
    if (clock_) clock_->start();
  }
  ~passing_time() {
    if (clock_) clock_->stop();
  }
  passing_time(const passing_time&) = delete;
  passing_time& operator=(const passing_time&) = delete;

 private:
  virtual_clock* const clock_;
};

}  // namespace astd::detail
