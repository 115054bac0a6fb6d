// The seam between astd and the world. A driver starts operations, cancels them, tells which have ended, waits
// until something happens, and tells the time. Whoever replaces it replaces the world.
//
// Who may call what: a driver belongs to one loop. The loop's owner thread calls wait(); everything else that is
// not marked otherwise is called under the loop's lock, by the owner or by another thread that helps out while the
// owner is busy with one task.
#pragma once

#include <astd/base/counter.hpp>
#include <astd/base/instant.hpp>
#include <astd/driver/choice.hpp>
#include <astd/driver/operation.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace astd::driver::sim {
class machine;
}

namespace astd::driver {

using detail::counter;

/// What the drivers count: written under the loop's lock, `waits` by the owner in wait().
struct counters {
  counter submitted;     // operations handed in
  counter inline_done;   // of these, ended inside submit()
  counter completed;     // collected later (without those that the blocking pool carried out)
  counter cancelled;     // cancel() calls on operations in flight
  counter pooled;        // handed to the blocking pool, and not withdrawn
  counter system_calls;  // made by the driver under the lock
  counter waits;         // further system calls, that may sleep

  /// Operations that a later collect() will yield. For the owner, or under the lock.
  [[nodiscard]] std::uint64_t in_flight() const noexcept { return submitted - inline_done - completed - pooled; }
};

/// Carries out operations that would block (files under epoll) on other threads: perform(op), then op.completed(op).
class blocking_executor {
 public:
  virtual void execute(operation& op) noexcept = 0;
  /// True: the operation had not been started and never will be; the caller completes it.
  virtual bool withdraw(operation& op) noexcept = 0;

 protected:
  ~blocking_executor() = default;
};

class driver {
 public:
  driver() = default;
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;
  /// No operation is in flight when a driver is destroyed.
  virtual ~driver() = default;

  /// "uring", "epoll", "sim". Any thread, no lock.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  /// Starts `op`. True: it ended at once and op.result holds; op.completed is not called. False: it is in flight
  /// until collect() yields it (or, for operations that run on the blocking pool, until op.completed is called there:
  /// that may be before submit() returns). Owner only, under the lock.
  [[nodiscard]] virtual bool submit(operation& op) noexcept = 0;

  /// Asks an operation in flight to end. It ends as every other: with -ECANCELED, or with its result when that came
  /// first. Nothing happens if it has been collected. Called by any thread under the lock; the caller then calls
  /// wake() if it is not the owner.
  virtual void cancel(operation& op) noexcept = 0;

  /// For an accept_many whose `completed` was called: its next connection; or -EAGAIN when there is none for now, and
  /// `completed` will be called again; or the error with which it has ended, -ECANCELED if it was cancelled. Connections
  /// that came before the end are given first, so none is lost to whoever asks until it ends. How many are accepted ahead
  /// is bounded. At the limit of descriptors it ends with -EMFILE or -ENFILE; what waits in the listener's queue stays
  /// there. Under the lock, by any thread, one at a time; wake() afterwards if that is not the owner.
  [[nodiscard]] virtual std::int32_t next_connection(operation& op) noexcept = 0;

  /// Appends the operations that have ended to `done`, without waiting. `owner`: the calling thread is the loop's
  /// own and may enter the kernel for it (submit what is batched); another thread only takes what lies ready.
  virtual void collect(completions& done, bool owner) noexcept = 0;

  /// Whether collect() by the owner would find something or has something to hand to the kernel. No system call:
  /// epoll, where only a call can tell, says yes as long as anything waits. Used while spinning. No lock.
  [[nodiscard]] virtual bool ready() const noexcept = 0;

  /// Called under the lock before wait(): publishes batched submissions so that wait() need not touch shared state.
  virtual void prepare_wait() noexcept = 0;

  /// Sleeps until an operation ends, wake() is called, or `deadline` has passed (now() based; detail::never: no limit).
  /// May return early. Owner only, without the lock.
  virtual void wait(detail::instant deadline) noexcept = 0;

  /// Makes the current or next wait() return. Any thread, no lock, async-signal-safe.
  virtual void wake() noexcept = 0;

  /// The driver's monotonic clock. Never goes backwards. Any thread, no lock.
  [[nodiscard]] virtual detail::instant now() const noexcept = 0;

  [[nodiscard]] virtual const counters& count() const noexcept { return counters_; }

 protected:
  counters counters_;
};

/// A driver and why it is this one: "io_uring, kernel 6.1", "epoll: io_uring_setup: Operation not permitted". Without a
/// driver: `error`, and its text with what failed, "epoll_create1: Too many open files".
struct selected {
  std::unique_ptr<driver> value;
  std::string reason;
  std::error_code error;
};

struct options {
  choice want = choice::automatic;
  /// Another thread may collect() while the owner is busy: the ring then delivers without the owner's help.
  bool shared = true;
  /// Always the same thread owns the loop. False: one thread after another, as block_on is called. The kernel cancels
  /// what an ending thread has in flight in a ring, so `automatic` then takes epoll.
  bool one_owner = true;
  /// Threads for what the driver cannot do without blocking. Lives longer than the driver.
  blocking_executor* blocking = nullptr;
  /// Where `want` is choice::sim, and only there: the machine, which lives longer than the driver.
  sim::machine* machine = nullptr;
};

/// Makes a driver for one loop; called on the thread that will own it. `automatic` tries io_uring and takes epoll
/// on any failure; `uring` throws nothing either: value is then null, `error` and `reason` say why.
[[nodiscard]] selected make_driver(const options& options);

/// Carries `op` out by plain system calls in the calling thread, blocking if they block; sets op.result. Any thread. On a
/// simulated machine that machine does it, if `op` cannot block.
void perform(operation& op) noexcept;

/// Tells all drivers that the number `fd` now stands for something new. The operations that make and close
/// descriptors do so themselves; this is for descriptors from elsewhere, before their first operation. Any thread.
void adopt(int fd) noexcept;

}  // namespace astd::driver
