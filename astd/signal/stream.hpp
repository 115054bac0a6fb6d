// Signals, awaited.
//
//   signal::stream hangups(SIGHUP);
//   for (;;) {
//     co_await hangups.next();
//     co_await load_configuration();
//   }
//
//   co_await race(serve(), signal::ctrl_c());
#pragma once

#include <astd/coro/task.hpp>
#include <astd/signal/listener.hpp>

#include <memory>
#include <optional>

namespace astd::signal {

/// The arrivals of one signal at this process, from the moment it is made: one that comes while nobody is in next() is
/// kept; several that come until then count as one, as they do for the system. Any number of streams may listen to one
/// signal, in several runtimes; each is told.
///
/// The handler in the system does nothing but write to a descriptor. It replaces the default action of the signal as soon
/// as the first stream for it is made, and until the process ends; a handler that was there before is still called.
/// Programs that are started by astd::process do not inherit it.
class stream {
 public:
  /// `number`: SIGHUP, SIGTERM, SIGCHLD... Throws system_error (invalid_argument) for what cannot be handled (SIGKILL,
  /// SIGSTOP) and for what tells of a fault in the program itself (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP,
  /// SIGSYS), and whatever error the system gives.
  explicit stream(int number);
  stream(stream&&) noexcept = default;
  stream& operator=(stream&& other) noexcept;
  ~stream();

  /// The next arrival: the signal's number, never empty. Cancelled, it has taken none. One task at a time.
  [[nodiscard]] task<std::optional<int>> next();

  [[nodiscard]] int number() const noexcept;

 private:
  class arrivals;
  std::shared_ptr<arrivals> arrivals_;
};

/// Waits for the next Ctrl-C (SIGINT) from the moment of the await. From the first call on Ctrl-C no longer ends the
/// program by itself. Fails as stream's constructor throws.
[[nodiscard]] task<> ctrl_c();

}  // namespace astd::signal
