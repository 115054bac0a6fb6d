// Internal: who is told of signals.
#pragma once

#include <memory>

namespace astd::signal::detail {

/// Is told on a thread of its own (simulated: in the world's turn), one signal at a time.
class listener {
 public:
  listener() noexcept;
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  virtual ~listener() = default;
  virtual void arrived(int signal) noexcept = 0;
  /// Simulated: whether the process is to end now, with status 128 + signal. (A real one does so in arrived().)
  [[nodiscard]] virtual bool ends_process() const noexcept { return false; }
  /// Where it was made: null, or the simulated machine, or a child process there.
  [[nodiscard]] const void* place() const noexcept { return place_; }

 private:
  const void* const place_;
};

/// From now on, until forget(): `who` is told of `signal`. The process's default action for it is gone for good. Throws
/// system_error if the system does not allow that, or the signal tells of a fault in the program.
void listen(int signal, std::shared_ptr<listener> who);
/// Nothing that begins behind it reaches `who`; what has begun may still be going on.
void forget(const listener& who) noexcept;

/// What became of a signal at a simulated place: nobody listened, somebody was told, somebody wants the end.
enum class delivery : unsigned char { nobody, told, ends };
/// Tells those that were made there.
delivery deliver(const void* place, int signal) noexcept;

}  // namespace astd::signal::detail
