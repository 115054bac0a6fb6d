// block_on(aw): from a plain function into the world of tasks.
//
//   int main() { return astd::block_on(async_main()); }
#pragma once

#include <astd/coro/own_awaiter.hpp>
#include <astd/coro/task_header.hpp>
#include <astd/runtime/spawn.hpp>

#include <string>
#include <utility>

namespace astd {
namespace detail {

class worker;

/// The chain that block_on runs: a task of its own, bound to the calling thread.
class blocking_root {
 public:
  explicit blocking_root(runtime_core& core);
  blocking_root(const blocking_root&) = delete;
  ~blocking_root();

  [[nodiscard]] await_context context() noexcept { return {&task_.root.end(), &task_.root, nullptr}; }
  /// Runs `first`, and whatever else is ready on this thread, until the chain has ended.
  void run(resumable* first) noexcept;
  [[nodiscard]] bool stopped() const noexcept { return task_.root.stopped(); }
  /// For one that has stopped: task_cancelled, or sim::deadlock.
  [[noreturn]] void throw_stopped() const;

 private:
  void run_simulated();
  // What makes the calling thread a worker while it is in here.
  class entry {
   public:
    explicit entry(runtime_core& core);
    ~entry();
    [[nodiscard]] worker& here() const noexcept { return *here_; }

   private:
    runtime_core& core_;
    struct simulated_stay;
    simulated_stay* const stay_;  // null: the runtime is not simulated
    chain* const outer_;
    worker* here_ = nullptr;
    bool entered_ = false;
  };
  struct header : task_header {
    explicit header(executor& on) noexcept : task_header(&ended, on) {}
    bool done = false;
  };
  static void ended(resumable* r);

  entry entry_;
  header task_;
  std::string dump_;  // of a simulation in which nothing could happen any more
};

template <class A>
await_result_t<A> block_on_core(runtime_core& core, A&& aw) {
  blocking_root root(core);
  own_awaiter<A> awaiting(static_cast<A&&>(aw));
  if (!awaiting->await_ready()) root.run(awaiting->start(root.context()));
  if (root.stopped()) root.throw_stopped();
  return awaiting->await_resume();
}

}  // namespace detail

/// Runs `aw` on the calling thread and gives its value, or throws what it ends with (task_cancelled if it asked itself
/// to stop). What it spawns runs on the workers of the current runtime meanwhile, and goes on afterwards; what it
/// spawns locally runs here and is cancelled, and waited for, when the thread's outermost block_on returns. Other
/// threads' tasks do not wait for this thread. Any thread; a runtime without workers takes one at a time, and throws
/// std::logic_error.
///
/// Inside a task it works, too (the worker runs its other tasks meanwhile) but holds the stack and so delays what it
/// is nested in: co_await instead where you can.
template <awaitable A>
await_result_t<A> block_on(A&& aw) {
  return detail::block_on_core(detail::current_core(), static_cast<A&&>(aw));
}

}  // namespace astd
