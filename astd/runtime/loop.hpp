// One thread's link to the world: a driver and the timers, under one lock.
//
// The loop belongs to a worker (or to a thread in block_on); only its owner submits and sleeps. Any thread may cancel an
// operation or take a timer back, and when the owner is stuck in one task the monitor may collect what has come in for
// it: all of that under the lock, which is nearly always free.
#pragma once

#include <astd/base/instant.hpp>
#include <astd/base/spin_lock.hpp>
#include <astd/driver/driver.hpp>
#include <astd/runtime/timer_wheel.hpp>
#include <astd/runtime/virtual_clock.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace astd::detail {

class loop {
 public:
  /// `options` as for make_driver. `seat`: at a virtual clock, or null for the machine's time; outlives the loop. Nothing
  /// else may be called before open().
  explicit loop(const driver::options& options, virtual_clock::seat* seat = nullptr) noexcept
      : options_(options), seat_(seat) {}
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  // ---- the owner's

  /// Makes the driver if there is none; on the owner's thread. Throws system_error if none can be had at all.
  void open();
  /// The same; false if none can be had.
  [[nodiscard]] bool try_open() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return driver_.load(std::memory_order_relaxed) != nullptr; }
  /// driver::submit.
  [[nodiscard]] bool submit(driver::operation& op) noexcept;
  /// False: disarm() came first; the timer is not set.
  [[nodiscard]] bool arm(timer& t) noexcept;
  /// A fresh reading of the driver's clock.
  [[nodiscard]] instant now() const noexcept { return driver_.load(std::memory_order_relaxed)->now(); }

  /// Takes in what the world has for us and fires what is due, without sleeping; completions run on the calling thread.
  /// Whether there was anything. Anyone but the owner passes false and takes only what lies ready.
  bool poll(bool owner) noexcept;
  /// Whether poll() is worth its system call. Cheap.
  [[nodiscard]] bool ready() const noexcept;
  /// Sleeps until the world, a timer or wake() ends it. May return early. True: a timer is due.
  ///
  /// Where timers come thick they are fired in bunches, since a sleep costs more than many timers: after poll() has found
  /// more than `few_timers` due at once, no timer ends a sleep for as long as `between_bunches`. So a timer that has others
  /// around it fires up to half a millisecond late; a lone one as soon as the kernel wakes us.
  bool wait() noexcept;

  // ---- anyone's

  /// driver::cancel, and sees to it that the owner passes it on. If `op` is yet to be submitted it ends then, at once,
  /// with -ECANCELED.
  void cancel(driver::operation& op) noexcept;
  /// True: the timer was set and will not fire. If it is yet to be set, arm() will refuse.
  bool disarm(timer& t) noexcept;
  /// As disarm(), but a timer that is not set may be armed afterwards.
  bool take_back(timer& t) noexcept;
  /// As arm(), or arms it anew: whether it is set already does not matter. Wakes the owner if that is needed.
  bool set(timer& t, instant deadline) noexcept;
  /// The same for a timer that is set, else nothing: it is firing, was taken back, or is yet to be armed.
  void move(timer& t, instant deadline) noexcept;
  /// The earliest deadline of all timers, exactly: see timer_wheel.
  [[nodiscard]] instant earliest_deadline() noexcept;
  void wake() noexcept;
  /// Why the driver is what it is; empty before open().
  [[nodiscard]] std::string reason() const;
  [[nodiscard]] const driver::driver* opened() const noexcept { return driver_.load(std::memory_order_acquire); }

 private:
  static constexpr unsigned few_timers = 4;
  static constexpr instant between_bunches = 500'000;

  void cancel_inside(driver::operation& op) noexcept;
  void insert_and_unlock(timer& t, instant deadline) noexcept;
  timer* take_due(intrusive_list<timer>& expired, unsigned fired) noexcept;

  driver::options options_;
  virtual_clock::seat* const seat_;
  mutable spin_lock lock_;  // mutable: reason()
  timer_wheel timers_;
  instant next_bunch_ = INT64_MIN;  // guarded by lock_
  std::unique_ptr<driver::driver> owned_driver_;
  std::atomic<driver::driver*> driver_{nullptr};
  std::string reason_;  // guarded by lock_
};

/// The loop of the worker or block_on that runs on this thread, or null.
[[nodiscard]] loop* this_threads_loop() noexcept;
/// The same where there must be one.
[[nodiscard]] loop& current_loop() noexcept;

}  // namespace astd::detail
