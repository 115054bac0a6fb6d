// Who turns the events of a simulated world, and so runs its tasks: several virtual workers of several runtimes on one
// thread, in an order that the world's seed decides.
//
//   simulation s({.seed = 7});
//   auto web = s.start(s.in().add_machine("web"), {.workers = 2});
//   web->block_on(serve());          // steps the world until serve() has ended
//
// A worker is not a loop here but an event, its turn (simulated_worker.hpp). A thread in block_on steps the world until
// what it waits for has ended, and its own turns are events like the others. One thread steps it, the driver. Others that
// are in there as well, in a block_on of their own or in a call of spawn_blocking, run only while the driver has handed
// them the baton, and hand it back: so it stays one thing at a time, and the seed decides which.
#pragma once

#include <astd/driver/sim/world.hpp>
#include <astd/runtime/deadlock.hpp>
#include <astd/runtime/runtime.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace astd {

namespace driver::sim {
class process;
}

namespace detail {

class blocking_pool;
class simulated_worker;

/// Whether this thread runs a simulated task or call.
[[nodiscard]] bool in_simulation() noexcept;

class simulation final : driver::sim::world::keeper {
 public:
  explicit simulation(driver::sim::world_options options);
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;
  /// Its runtimes have gone.
  ~simulation();

  /// What a runtime with driver::choice::sim runs in: one for the whole process, as long as any is there; each with
  /// virtual time has one of its own, in which to run takes no time. Seed: ASTD_SIM_SEED, else 1.
  static std::shared_ptr<simulation> for_plain_runtime(const runtime_options& options);

  /// The former, if there is one.
  static std::shared_ptr<simulation> shared_by_plain_runtimes();

  [[nodiscard]] driver::sim::world& in() noexcept { return world_; }
  /// Whose world it is.
  [[nodiscard]] static simulation& of(const driver::sim::world& w) noexcept {
    return static_cast<simulation&>(*w.kept_by());
  }
  /// A runtime on `of`, which lives longer; `options.driver` does not matter.
  [[nodiscard]] std::unique_ptr<runtime> start(driver::sim::machine& of, runtime_options options);

  /// Steps the world until stop() says so; asked after each step. False: nothing can happen any more. Inside an entry.
  template <class Stop>
  [[nodiscard]] bool run_until(Stop stop) {
    struct asking {
      static bool stops(void* s) { return (*static_cast<Stop*>(s))(); }
    };
    return run(&asking::stops, &stop);
  }

  /// Every task of every runtime in here.
  [[nodiscard]] std::string dump_tasks();
  /// Asks all that spawned tasks do to end, those of runtimes that start later too: what a deadlock leaves, and what runs
  /// when the scenario is over (an operation under way may yet start a child).
  void cancel_all() noexcept;

  /// A thread that is to touch the world: waits until it may. They nest.
  class entry;

  // ---- for runtime_core
  void add(runtime_core& core) { cores_.push_back(&core); }
  void remove(runtime_core& core) noexcept { std::erase(cores_, &core); }
  /// Runs a job of `pool` on a thread that stands for one of the pool's, until it has ended or waits in a block_on.
  void run_call(blocking_pool& pool, driver::sim::machine& on, driver::sim::process* whose) noexcept;

  // ---- for simulated_worker
  /// The calling thread, as run_turn() knows it; inside an entry.
  [[nodiscard]] entry& this_entry() noexcept;
  /// Has `whose` take its turn on the thread that entered by `on`: this one, or that one meanwhile.
  void run_turn(entry& on, simulated_worker& whose) noexcept;

 private:
  struct helper;
  bool run(bool (*stop)(void*), void* argument);
  bool step_until(bool (*stop)(void*), void* argument);
  bool drive(bool (*stop)(void*), void* argument);
  entry* first_to_stop() noexcept;
  bool wait_for_others();
  void let_one_in() noexcept;
  void hand_baton(entry& from, entry& to) noexcept;
  void hand_baton(entry& from, entry& to, std::unique_lock<std::mutex>& lock) noexcept;
  void run_in_background() noexcept;
  void something_outside() noexcept override;

  driver::sim::world world_;
  std::vector<runtime_core*> cores_;
  bool cancelled_ = false;

  std::mutex lock_;                  // guards all that follows
  entry* inside_ = nullptr;          // who has the baton
  std::vector<entry*> followers_;    // in run(), without the baton
  std::vector<entry*> at_the_door_;  // in their constructors
  std::atomic<bool> anybody_at_the_door_{false};
  std::vector<std::unique_ptr<helper>> helpers_;
  std::vector<helper*> free_helpers_;
  // Of plain runtimes, whose tasks go on when nobody is in block_on: then time passes as fast as on the machine.
  std::condition_variable left_;
  bool ending_ = false;
  std::thread background_;
};

class simulation::entry {
 public:
  explicit entry(simulation& s) : entry(s, std::chrono::milliseconds::max()) {}
  /// Waits no longer than `limit`: a task may hold the world for long.
  entry(simulation& s, std::chrono::milliseconds limit);
  ~entry();
  [[nodiscard]] bool has_entered() const noexcept { return same_ != nullptr; }
  entry(const entry&) = delete;
  entry& operator=(const entry&) = delete;

 private:
  friend class simulation;
  struct for_helper {};
  entry(simulation& s, for_helper) noexcept : simulation_(s), may_drive_(false) {}
  void enter_thread() noexcept;
  void leave_thread() noexcept;
  void wait_for_baton(std::unique_lock<std::mutex>& lock) noexcept;

  simulation& simulation_;
  const bool may_drive_ = true;  // a call's thread takes turns, but does not make the world go on
  entry* outer_ = nullptr;       // this thread's, of whatever simulation
  entry* same_ = nullptr;        // the outermost of this simulation on this thread: this, if that is the outermost
  driver::sim::world* outer_world_ = nullptr;
  // Of the outermost only; guarded by the simulation's lock.
  entry* returns_to_ = nullptr;       // who waits for the baton to come back; null: this thread drives
  simulated_worker* turn_ = nullptr;  // to be taken with the baton
  bool (*stop_)(void*) = nullptr;     // what it follows until
  void* stop_argument_ = nullptr;
  bool has_baton_ = false;
  std::condition_variable baton_;
};

}  // namespace detail
}  // namespace astd
