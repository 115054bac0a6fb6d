// barrier: a number of tasks wait for each other; when the last has come, all go on, and it is as new.
//
//   astd::barrier b(3, [] noexcept { swap_buffers(); });   // run by the last to come, before anyone goes on
//   co_await b.arrive_and_wait();
#pragma once

#include <astd/base/assert.hpp>
#include <astd/coro/awaitable.hpp>
#include <astd/coro/outcome.hpp>
#include <astd/sync/wait_on_thread.hpp>
#include <astd/sync/wait_queue.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

class barrier_awaiter;
class barrier_awaitable;

/// What all barriers are: see barrier.
class barrier_base {
 public:
  barrier_base(const barrier_base&) = delete;
  barrier_base& operator=(const barrier_base&) = delete;

  /// Stands for the phase in which one has arrived.
  class arrival_token {
   public:
    arrival_token(arrival_token&&) noexcept = default;
    arrival_token& operator=(arrival_token&&) noexcept = default;

   private:
    friend barrier_base;
    explicit arrival_token(wait_queue::word number) noexcept : phase_(number) {}
    wait_queue::word phase_;
  };

  [[nodiscard]] static constexpr std::ptrdiff_t max() noexcept { return (std::ptrdiff_t{1} << count_bits) - 1; }

  /// Counts as `n` that have come, and does not wait.
  [[nodiscard]] arrival_token arrive(std::ptrdiff_t n = 1) noexcept;
  /// `co_await b.wait(std::move(token));` Waits until that phase is over. Cancellation ends the wait at once.
  [[nodiscard]] barrier_awaitable wait(arrival_token&& token) noexcept;
  /// `auto leads = co_await b.arrive_and_wait();` Counts as one that has come, from when it is awaited, and waits for the
  /// others. Gives true to exactly one in each phase, the last to come, which does not suspend. Who is cancelled while it
  /// waits stays counted.
  [[nodiscard]] barrier_awaitable arrive_and_wait() noexcept;
  /// Counts as one that has come, and is not expected again in later phases. Does not wait.
  void arrive_and_drop() noexcept;
  /// For plain threads: they block the thread, and need no runtime.
  void wait_blocking(arrival_token&& token);
  bool arrive_and_wait_blocking();

 protected:
  barrier_base(std::ptrdiff_t expected, const char* name) noexcept;
  ~barrier_base() = default;
  virtual void run_completion() noexcept = 0;

 private:
  friend barrier_awaiter;
  // The word: how many are still to come, and the number of the phase.
  static constexpr int count_bits = 30;
  static constexpr wait_queue::word each = wait_queue::one, phase = each << count_bits;
  static wait_queue::word phase_of(wait_queue::word state) noexcept { return state / phase; }
  static std::ptrdiff_t to_come(wait_queue::word state) noexcept {
    return static_cast<std::ptrdiff_t>(state % phase / each);
  }
  /// The phase in which it came, and whether it was the last.
  std::pair<wait_queue::word, bool> come(std::ptrdiff_t n, bool drops) noexcept;
  void begin_next_phase() noexcept;

  wait_queue queue_;
  std::ptrdiff_t expected_;  // in the next phase; guarded by the queue's lock
};

struct no_completion {
  void operator()() const noexcept {}
};

}  // namespace detail

/// As std::barrier, for tasks. All who wait are woken in the order of their arrival when the last of `expected` has come
/// and has run `completion`, which must not throw. Then the next phase begins. `expected` of 0 is as 1: who comes goes on.
///
/// Every member may be called on any thread, tasks or not. The barrier outlives whoever waits for it.
template <class Completion = detail::no_completion>
class barrier final : public detail::barrier_base {
  static_assert(std::is_nothrow_invocable_v<Completion&>, "what completes a barrier's phase must be noexcept");
  static_assert(!awaitable<std::invoke_result_t<Completion&>>,
                "what completes a barrier's phase is called, not awaited: it cannot be a coroutine");

 public:
  /// `name` is shown by dump_tasks(); it must outlive the barrier.
  explicit barrier(std::ptrdiff_t expected, Completion completion = Completion(), const char* name = nullptr)
      : barrier_base(expected, name), completion_(std::move(completion)) {}

 private:
  void run_completion() noexcept override { completion_(); }
  [[no_unique_address]] Completion completion_;
};

namespace detail {

class barrier_awaiter final : public waiter, public awaiter_base<barrier_awaiter> {
 public:
  using value_type = bool;
  barrier_awaiter(barrier_base& b, wait_queue::word phase, bool arrives) noexcept
      : waiter(b.queue_), barrier_(b), phase_(phase), arrives_(arrives) {}
  bool await_ready() noexcept;
  // At once: its phase may be over, and those in line wait for the next.
  resumable* start(const await_context& c) noexcept { return wait(c, turn::at_once); }
  outcome<bool> take() noexcept {
    resumed();
    outcome<bool> out;
    out.set_value(last_);
    return out;
  }

 private:
  bool admit(wait_queue::word& state) noexcept override;
  void describe(std::string& out, unsigned depth) const override;
  barrier_base& barrier_;
  wait_queue::word phase_;
  const bool arrives_;
  bool last_ = false;
};

class barrier_awaitable {
 public:
  barrier_awaitable(barrier_base& b, wait_queue::word phase, bool arrives) noexcept
      : barrier_(b), phase_(phase), arrives_(arrives) {}
  auto operator co_await() const noexcept { return barrier_awaiter(barrier_, phase_, arrives_); }

 private:
  barrier_base& barrier_;
  wait_queue::word phase_;
  bool arrives_;
};

inline barrier_awaitable barrier_base::wait(arrival_token&& token) noexcept { return {*this, token.phase_, false}; }
inline barrier_awaitable barrier_base::arrive_and_wait() noexcept { return {*this, 0, true}; }

}  // namespace detail
}  // namespace astd
