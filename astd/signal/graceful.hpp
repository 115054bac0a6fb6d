// Ending a program well: at the first Ctrl-C (or SIGTERM) it finishes what it does, at the second it ends at once.
//
//   astd::task<> serve_all(cancel_token stop) {
//     auto listener = co_await net::tcp_listener::bind("0.0.0.0:8080");
//     co_await net::serve(listener, handle, {.stop = stop, .drain = 10s});
//   }
//   astd::task<int> async_main() {
//     co_await signal::run_gracefully(serve_all, 30s);
//     co_return 0;                      // the runtime cancels what is left, and waits for it
//   }
#pragma once

#include <astd/cancel.hpp>
#include <astd/coro/race.hpp>
#include <astd/coro/task.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/signal/listener.hpp>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <utility>

namespace astd::signal {

/// While it lives, the first of its signals is a request to stop, and the second ends the process at once, with status 128
/// + signal as a shell would say, whatever tasks and threads are doing. Once it is gone further ones do nothing, as long
/// as nobody else listens.
class graceful_shutdown {
 public:
  /// SIGINT (Ctrl-C) and SIGTERM. Throws as stream's constructor.
  graceful_shutdown();
  explicit graceful_shutdown(std::initializer_list<int> signals);
  graceful_shutdown(graceful_shutdown&&) noexcept = default;
  graceful_shutdown& operator=(graceful_shutdown&&) = delete;
  ~graceful_shutdown();

  /// Cancelled by the first signal.
  [[nodiscard]] cancel_token token() const noexcept;
  /// Waits for it: `co_await shutdown.requested()`.
  [[nodiscard]] task<> requested() const;
  /// As if the first signal had come.
  void request() noexcept;

 private:
  class state;
  explicit graceful_shutdown(std::shared_ptr<state> s) noexcept : state_(std::move(s)) {}

  std::shared_ptr<state> state_;
};

namespace detail {

inline task<> grace_over(cancel_token stop, std::chrono::nanoseconds grace) {
  co_await stop.cancelled();
  co_await this_task::sleep_for(grace);
}

}  // namespace detail

/// Awaits f(token), whose token is cancelled by the first SIGINT or SIGTERM; it should then come to its end by itself.
/// What has not `grace` later is cancelled. True: it ended by itself. A second signal ends the process at once. Errors of
/// f pass through. Cancelled, it cancels f.
template <class F>
task<bool> run_gracefully(F f, std::chrono::nanoseconds grace = std::chrono::seconds(30)) {
  const graceful_shutdown shutdown;
  bool ended = false;
  auto body = [](F& run, cancel_token stop, bool& by_itself) -> task<> {
    co_await run(std::move(stop));
    by_itself = true;
  };
  auto both = race(body(f, shutdown.token(), ended), detail::grace_over(shutdown.token(), grace));
  co_await std::move(both);
  co_return ended;
}

}  // namespace astd::signal
