// Where a chain of awaits runs: the one thing that floor 1 asks of whoever drives it. A user's own loop is an
// executor, too.
#pragma once

#include <astd/coro/resumable.hpp>

#include <cstdint>

namespace astd::detail {

struct task_header;

/// How soon something that became ready should run.
enum class urgency : std::uint8_t {
  next,    // right after the current task: it was just handed something
  queued,  // behind what is ready already: it yielded, or the world called
};

class executor {
 public:
  /// Runs `r` (by run()) on this executor, later. Any thread. Never fails: `r` carries its own link.
  virtual void schedule(resumable& r, urgency how) noexcept = 0;
  /// On the thread that runs `t`, which was fresh until now (see chain): it is about to suspend for the first time, and
  /// then anyone may resume it.
  virtual void settle(task_header&) noexcept {}

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
