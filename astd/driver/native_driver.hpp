// What the drivers of this machine's kernel share: the clock, the wakeup, operations that have ended and wait to be
// collected, and those that the blocking pool carries out.
#pragma once

#include <astd/driver/driver.hpp>
#include <astd/driver/wakeup.hpp>

#include <atomic>

namespace astd::driver {

/// Where an operation in flight is (operation::driver_word).
enum class place : std::uint32_t {
  nowhere,
  pool,            // with the blocking executor
  parked,          // epoll: in a descriptor's list
  kernel,          // uring: the kernel has it, or will at the next submission
  polling,         // uring: the kernel only waits for its descriptor; the call is made when it is ready
  queued,          // uring: waits for room in the submission queue, to go to the kernel
  queued_polling,  // uring: the same, to be polled for
};

class native_driver : public driver {
 public:
  explicit native_driver(blocking_executor* blocking) noexcept : blocking_(blocking) {}

  void wake() noexcept final { wakeup_.signal(); }
  [[nodiscard]] detail::instant now() const noexcept final;

 protected:
  static place place_of(const operation& op) noexcept { return static_cast<place>(op.driver_word); }
  static void put(operation& op, place where) noexcept { op.driver_word = static_cast<std::uint32_t>(where); }

  /// For submit(): `op` ended inside it.
  bool ended_inline(operation& op, std::int32_t result) noexcept {
    op.result = result;
    count_inline();
    return true;
  }
  void count_inline() noexcept { counters_.inline_done.add(); }

  /// For submit(): has the blocking pool carry `op` out; without a pool it is carried out here.
  bool submit_blocking(operation& op) noexcept;
  /// For cancel(): `op` is with the pool.
  void withdraw(operation& op) noexcept;

  /// `op` ended after submit(): the next collect() hands it out.
  void end(operation& op, std::int32_t result) noexcept {
    op.result = result;
    op.in_flight = false;
    put(op, place::nowhere);
    counters_.completed.add();
    ended_.push_back(op);
  }
  /// The same outside collect(): ready() and wait() must know.
  void end_between(operation& op, std::int32_t result) noexcept {
    end(op, result);
    ended_between_.store(true, std::memory_order_relaxed);
  }
  /// accept_many: has its `completed` called at the next collect(); it goes on.
  void report(operation& op) noexcept {
    ended_.push_back(op);
    ended_between_.store(true, std::memory_order_relaxed);
  }
  /// For collect().
  void hand_out(completions& done) noexcept {
    if (ended_.empty()) return;
    done.splice(ended_);
    ended_between_.store(false, std::memory_order_relaxed);
  }
  /// Relaxed: a hint for the spinning owner; who needs certainty holds the lock.
  [[nodiscard]] bool has_ended() const noexcept { return ended_between_.load(std::memory_order_relaxed); }

  wakeup wakeup_;

 private:
  blocking_executor* blocking_;
  completions ended_;
  std::atomic<bool> ended_between_{false};
};

}  // namespace astd::driver
