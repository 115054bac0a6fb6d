// Where a chain of awaits runs: the one thing that floor 1 asks of whoever drives it. A user's own loop is an
// executor, too.
#pragma once

#include <astd/coro/resumable.hpp>

#include <cstdint>

namespace astd::detail {

/// How soon something that became ready should run.
enum class urgency : std::uint8_t {
  next,    // right after the current task: it was just handed something
  queued,  // behind what is ready already: it yielded, or the world called
};

class executor {
 public:
  /// Runs `r` (by run()) on this executor, later. Any thread. Never fails: `r` carries its own link.
  virtual void schedule(resumable& r, urgency how) noexcept = 0;

 protected:
  ~executor() = default;
};

/// The executor for a chain that was started outside of any: the current worker's, else the default runtime's.
/// Without a runtime linked in, one that runs everything on the spot.
executor& default_executor() noexcept;

/// Installed by the runtime when it is linked in. Returns the one before.
using executor_source = executor& (*)() noexcept;
executor_source set_default_executor_source(executor_source source) noexcept;

}  // namespace astd::detail
