// A clock that stands still while anything runs, and jumps to the next deadline when everything sleeps: what takes an hour
// takes no time, and a sleep ends at its deadline to the nanosecond.
//
// Between a loop and its driver stands a driver that differs in two functions: now() is the virtual time, and wait() comes
// here first. The last to fall asleep decides, under one lock, whether the clock may jump. It may not
//
//   - while a worker or a thread in block_on is awake, or somebody holds the clock;
//   - while a call runs or waits on the blocking pool (a thread of it that sleeps in block_on does not count);
//   - while something lies in anyone's inbox or queue: whoever is to run it is on the way;
//   - before each loop with operations in flight has slept and looked at the world once more for `grace` of real time,
//     since anything ran: what comes from there comes at no virtual time, so it is let go first;
//   - while no thread is in block_on, or in shutdown(): so time stands still between two of them.
//
// What threads do that are none of the runtime's is not seen.
#pragma once

#include <astd/base/instant.hpp>
#include <astd/base/intrusive_list.hpp>
#include <astd/driver/driver.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace astd::detail {

class runtime_core;
class worker;

class virtual_clock {
 public:
  /// The time it begins with: not 0, which programs take for "never".
  static constexpr instant beginning = 1'000'000'000'000'000;  // 11 days
  /// 2000-01-01 00:00:00 UTC, in nanoseconds of the system's clock, is `beginning`.
  static constexpr instant system_beginning = 946'684'800'000'000'000;
  static constexpr instant grace = 10'000'000;
  /// After as much real time in which nothing can happen any more, that is reported on standard error.
  static constexpr instant patience = 1'000'000'000;

  explicit virtual_clock(runtime_core& core) noexcept : core_(core) {}
  virtual_clock(const virtual_clock&) = delete;
  virtual_clock& operator=(const virtual_clock&) = delete;

  /// Any thread. acquire: pairs with the release of the jump.
  [[nodiscard]] instant now() const noexcept { return now_.load(std::memory_order_acquire); }
  [[nodiscard]] instant system_now() const noexcept { return now() - beginning + system_beginning; }

  /// No jump until as many calls of release(): something is under way that no loop knows of. Any thread.
  void hold() noexcept;
  void release() noexcept;
  /// Time passes until as many calls of stop(). Any thread.
  void start() noexcept;
  void stop() noexcept;

  /// The place of a worker, or of a thread in block_on, at this clock.
  class seat : public list_node {
   public:
    seat(virtual_clock& clock, worker& of) noexcept : clock_(clock), worker_(of) {}

    /// What the loop is to use instead of `real`.
    [[nodiscard]] std::unique_ptr<driver::driver> stand_before(std::unique_ptr<driver::driver> real);
    /// The worker's thread is there, awake; and gone.
    void enter() noexcept;
    void leave() noexcept;
    /// The next wait() is over after `grace` at most.
    void be_brief() noexcept { brief_ = true; }

   private:
    friend class virtual_clock;
    class virtual_driver;
    void wait() noexcept;

    virtual_clock& clock_;
    worker& worker_;
    driver::driver* real_ = nullptr;
    bool brief_ = false;
    // Guarded by the clock's lock.
    bool on_pool_ = false;  // on a thread of the blocking pool
    std::uint64_t turns_ = 0;
    std::uint64_t rested_ = 0;  // the activity since which it has had its grace
  };

 private:
  enum class verdict { stands, busy, resting, jumped, stuck };
  verdict decide() noexcept;
  void let_somebody_decide() noexcept;
  void report_stuck() noexcept;

  runtime_core& core_;
  std::atomic<instant> now_{beginning};

  std::mutex lock_;  // guards all that follows
  intrusive_list<seat> seats_;
  unsigned awake_ = 0;
  unsigned on_pool_ = 0;  // of seats_
  unsigned holds_ = 0;
  unsigned passing_ = 0;
  std::uint64_t activity_ = 1;  // changes whenever somebody has run something
  std::uint64_t pool_calls_ = 0;
  std::uint64_t stuck_activity_ = 0;  // since when it is stuck, and whether that was said
  instant stuck_since_ = 0;
  bool stuck_reported_ = false;
};

/// Holds a virtual clock, if there is one. For awaiters that wait for what no loop knows of: begin() in start(), end() in
/// take().
class clock_hold {
 public:
  clock_hold() noexcept = default;
  explicit clock_hold(virtual_clock* c) noexcept : held_(c) {
    if (held_) held_->hold();
  }
  clock_hold(const clock_hold&) = delete;
  clock_hold& operator=(const clock_hold&) = delete;
  ~clock_hold() { end(); }
  /// That of the runtime which this thread belongs to.
  void begin() noexcept;
  void end() noexcept;

 private:
  virtual_clock* held_ = nullptr;
};

/// Of the runtime that this thread runs tasks or blocking calls of; null if it has the machine's time, or there is none.
[[nodiscard]] virtual_clock* virtual_clock_here() noexcept;

}  // namespace astd::detail
