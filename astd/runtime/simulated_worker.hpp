// A worker whose turns are events of a simulated world, instead of a loop of a thread's own: one task for each, and each
// step of falling asleep, so that whatever else happens in that world can come between.
#pragma once

#include <astd/driver/sim/event.hpp>
#include <astd/runtime/simulation.hpp>

namespace astd::driver::sim {
class machine;
class process;
class sim_driver;
}  // namespace astd::driver::sim

namespace astd::detail {

class worker;

class simulated_worker final : public driver::sim::event {
 public:
  /// Its loop is open, on a simulated machine. Inside the simulation, as all that follows.
  simulated_worker(worker& of, simulation& in) noexcept;
  ~simulated_worker();

  /// Takes turns from now on: on the calling thread alone (a thread in block_on), or wherever the world is driven.
  void begin(bool on_this_thread) noexcept;
  /// No more turns until begin(). It is awake.
  void end() noexcept;
  /// A thread goes on in the middle of a turn of this worker, or of its block_on, after others were taken: awake.
  void go_on() noexcept;
  /// One turn, on the thread that it is for.
  void take() noexcept;

 private:
  enum class stage { awake, falling_asleep, asleep };
  void fire() noexcept override;
  void step() noexcept;
  void fall_asleep() noexcept;
  void shuffle() noexcept;

  worker& worker_;
  simulation& simulation_;
  driver::sim::world& world_;
  driver::sim::sim_driver& driver_;
  driver::sim::machine& machine_;
  driver::sim::process* const process_;  // whose turns these are; null: the machine's own program
  simulation::entry* thread_ = nullptr;  // null: any
  stage stage_ = stage::awake;
};

}  // namespace astd::detail
