// The running task: what std::this_thread is to a thread.
//
//   co_await astd::this_task::sleep_for(std::chrono::milliseconds(10));
#pragma once

#include <astd/runtime/join_handle.hpp>
#include <astd/runtime/sleep.hpp>

#include <chrono>
#include <string_view>

namespace astd::this_task {

/// Lets everything else that is ready run, then goes on. A task that was asked to stop does so here.
[[nodiscard("it yields when it is awaited")]] inline auto yield() noexcept { return detail::yield_awaitable(); }

/// Sleeps at least for `d`, from the start of the await; timers are finer than a millisecond. Zero or less: goes on at
/// once, without suspending. What is too long for the clock is for ever. Cancelling ends it at once. No allocation.
template <class Rep, class Period>
[[nodiscard("it sleeps when it is awaited")]] auto sleep_for(std::chrono::duration<Rep, Period> d) noexcept {
  return detail::sleep_awaitable(detail::to_nanoseconds(d), true);
}

/// Sleeps until `tp` of a std::chrono clock. The clock is read when this is called: a system clock that is set
/// afterwards does not move the deadline. A moment that has passed: goes on at the loop's next turn.
template <class Clock, class Duration>
[[nodiscard("it sleeps when it is awaited")]] auto sleep_until(
    std::chrono::time_point<Clock, Duration> tp) noexcept {
  return detail::sleep_awaitable(detail::to_instant(tp), false);
}

/// The task's id; 0 outside of any task.
[[nodiscard]] task_id get_id() noexcept;
/// The task's name; empty if it has none. Valid while the task runs.
[[nodiscard]] std::string_view name() noexcept;
/// Asks the running task to stop: it does so at its next suspension. Outside of a task: nothing.
void request_cancel() noexcept;
/// Whether the running task, or the branch of a race or the like that we are in, was asked to stop: for computations
/// that want to end early.
[[nodiscard]] bool is_cancelled() noexcept;

}  // namespace astd::this_task
