// Waiting on a plain thread: what the *_blocking functions do. Needs no runtime.
//
//   auto guard = wait_on_thread(m.lock());
#pragma once

#include <astd/coro/own_awaiter.hpp>
#include <astd/runtime/block_on.hpp>
#include <astd/runtime/ready_list.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace astd::detail {

/// What an awaitable waits in while a thread waits for it: a chain of its own, run by that thread.
class thread_wait final : executor {
 public:
  thread_wait() noexcept;
  thread_wait(const thread_wait&) = delete;
  ~thread_wait();

  [[nodiscard]] await_context context() noexcept { return {&root_.end(), &root_, nullptr}; }
  /// Runs `first` and what follows, until the await has ended.
  void run(resumable* first) noexcept;
  /// The same, but asks it to stop at `until`.
  void run_until(resumable* first, std::chrono::steady_clock::time_point until) noexcept;
  [[nodiscard]] bool stopped() const noexcept { return root_.stopped(); }

 private:
  void schedule(resumable& r, urgency how) noexcept override;
  bool run_ready() noexcept;
  static void ended(resumable* r);

  struct root : chain {
    using chain::chain;
    bool done = false;
  };
  root root_;
  chain* const outer_;
  std::mutex lock_;
  std::condition_variable changed_;
  ready_list ready_;  // guarded by lock_
};

/// Whether this thread runs tasks: then it goes on with the others while it waits (see block_on). Or is a call's, in
/// virtual time: then that has to pass meanwhile.
[[nodiscard]] bool is_in_runtime() noexcept;

/// Blocks the calling thread until `aw` has ended, and gives its value. Only for what waits for other tasks and threads
/// of the program: there is no clock and no I/O in here.
template <awaitable A>
await_result_t<A> wait_on_thread(A&& aw) {
  if (is_in_runtime()) return block_on(static_cast<A&&>(aw));
  own_awaiter<A> awaiting(static_cast<A&&>(aw));
  if (awaiting->await_ready()) return awaiting->await_resume();
  thread_wait here;
  here.run(awaiting->start(here.context()));
  return awaiting->await_resume();
}

/// The same for at most until `until`: nothing if it was stopped then. What has been given is given, however late.
template <awaitable A>
std::optional<await_result_t<A>> wait_on_thread_until(A&& aw, std::chrono::steady_clock::time_point until) {
  own_awaiter<A> awaiting(static_cast<A&&>(aw));
  if (!awaiting->await_ready()) {
    thread_wait here;
    here.run_until(awaiting->start(here.context()), until);
    if (here.stopped()) return std::nullopt;
    return awaiting->await_resume();
  }
  return awaiting->await_resume();
}

}  // namespace astd::detail
