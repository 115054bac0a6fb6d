// What opcode::start_process needs to know: the program, and what is to hold when it begins. Everything is prepared by
// the submitter: between the birth of a child and its program nothing may be allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace astd::driver {

struct process_launch {
  struct limit {
    int resource;  // RLIMIT_...
    std::uint64_t soft, hard;
  };
  // What a standard stream can be instead of a descriptor.
  static constexpr int inherited = -1;
  static constexpr int null = -2;
  static constexpr int piped = -3;

  const char* const* programs = nullptr;  // paths, tried in turn; ends with null
  char* const* arguments = nullptr;       // ends with null
  char* const* environment = nullptr;     // ends with null; null: this process's own
  const char* directory = nullptr;        // null: this process's own
  int standard[3] = {inherited, inherited, inherited};
  int group = -1;             // 0: a process group of its own; > 0: that one
  bool new_session = false;   // away from the terminal
  std::int64_t user_id = -1;  // >= 0: these
  std::int64_t group_id = -1;
  std::span<const limit> limits;

  // The answer.
  int pid = -1;
  int pipes[3] = {-1, -1, -1};   // our ends of those that are piped, non-blocking and close-on-exec
  const char* failed = nullptr;  // the step that failed: "exec", "chdir", "pipe"...
};

/// Starts the program without copying this process (vfork): its memory, locks and threads are not the child's. All signals
/// have their default action in the child, but those that are ignored stay so, except SIGPIPE; none is blocked. The pidfd
/// (close-on-exec; its generation is the caller's to begin), or a negated errno: nothing is left then. It and the ends of
/// pipes are none of the numbers 0 to 2. Blocks until the program has begun.
[[nodiscard]] std::int32_t launch_process(process_launch& launch) noexcept;

/// 0 and how it ended, once: then nothing is left of it. -EAGAIN while it runs.
[[nodiscard]] std::int32_t reap_process(int pidfd, int& how, int& status) noexcept;

/// 0, or -ESRCH when it has been reaped.
[[nodiscard]] std::int32_t signal_process(int pidfd, int signal) noexcept;

}  // namespace astd::driver
