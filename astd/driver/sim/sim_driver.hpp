// The driver of one loop on a simulated machine. Nothing here waits: whoever owns the loop gives it an event, its turn,
// and is told by that when there is something to collect.
#pragma once

#include <astd/driver/driver.hpp>
#include <astd/driver/sim/machine.hpp>

#include <atomic>
#include <utility>

namespace astd::driver::sim {

class sim_driver final : public driver {
 public:
  explicit sim_driver(machine& of);
  ~sim_driver() override;

  [[nodiscard]] machine& of() const noexcept { return machine_; }
  /// What wake() lets happen; null: nothing.
  void set_turn(event* turn) noexcept { turn_ = turn; }
  /// wake() does not bring the turn nearer than this: the loop's thread is busy until then.
  void set_busy_until(instant when) noexcept { busy_until_ = when; }
  [[nodiscard]] instant busy_until() const noexcept { return busy_until_; }
  /// Whether wake() was called, or there is something to collect, since this was last asked.
  [[nodiscard]] bool take_woken() noexcept { return std::exchange(woken_, false) || ready(); }
  /// Whether a thread outside called wake() since this was last asked. Its turn alone does not say so: it may be the one
  /// that was planned anyway.
  [[nodiscard]] bool take_woken_from_outside() noexcept {
    return woken_from_outside_.load(std::memory_order_relaxed) &&
           woken_from_outside_.exchange(false, std::memory_order_acquire);
  }

  [[nodiscard]] std::string_view name() const noexcept override { return "sim"; }
  [[nodiscard]] bool submit(operation& op) noexcept override;
  void cancel(operation& op) noexcept override;
  [[nodiscard]] std::int32_t next_connection(operation& op) noexcept override;
  void collect(completions& done, bool owner) noexcept override;
  [[nodiscard]] bool ready() const noexcept override { return !ended_.empty(); }
  void prepare_wait() noexcept override {}
  /// Never called: a loop here has no thread that could wait.
  void wait(instant deadline) noexcept override;
  void wake() noexcept override;
  [[nodiscard]] instant now() const noexcept override { return machine_.steady_now(); }

 private:
  friend class world;
  void end(operation& op, std::int32_t result) noexcept;
  void tell(operation& op) noexcept;

  machine& machine_;
  world& world_;
  const std::uint32_t number_;
  event* turn_ = nullptr;
  instant busy_until_ = 0;
  bool woken_ = false;
  std::atomic<bool> woken_from_outside_{false};
  completions ended_;
};

}  // namespace astd::driver::sim
