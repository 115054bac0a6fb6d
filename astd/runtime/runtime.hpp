// runtime: the workers that tasks run on. Nobody needs to make one: the first spawn starts the default runtime. Make
// your own to choose its size, its driver or its end, or to keep one part of a program away from another.
//
//   astd::runtime rt({.workers = 4, .name = "web"});
//   int n = rt.block_on(count_words(path));
//   auto report = rt.shutdown(std::chrono::seconds(5));
//   if (!report.complete) std::fputs(report.text.c_str(), stderr);
//
// The default runtime takes its options from the environment: ASTD_THREAD_COUNT (1 to 512), ASTD_THREAD_NAME,
// ASTD_DRIVER (auto, uring, epoll, sim). A value that cannot be used is refused with an error that names it.
#pragma once

#include <astd/base/error.hpp>
#include <astd/driver/choice.hpp>
#include <astd/runtime/block_on.hpp>
#include <astd/runtime/clock_kind.hpp>
#include <astd/runtime/metrics.hpp>
#include <astd/runtime/spawn.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace astd::driver::sim {
class machine;
}

namespace astd {

namespace detail {
class runtime_core;
class simulation;
}  // namespace detail

/// Called when a worker has been in one task for longer than stall_limit: on the monitor's thread, once for each stall.
struct stall {
  std::string_view runtime;        // its name
  unsigned worker;                 // which one
  std::chrono::nanoseconds since;  // how long it has been in there
  std::uint64_t task;              // the task's id
  std::string_view where;          // the await it last went on from: "function, file:line"; empty: from none yet
};
using stall_handler = void (*)(const stall&) noexcept;

struct runtime_options {
  /// Worker threads, 1 to 512. Empty: one for each processor that the process may use. 0: none; tasks run on the thread
  /// that calls block_on, while it is in there.
  std::optional<unsigned> workers;
  /// What the system calls the threads, followed by their number. At most 15 bytes are shown on Linux.
  std::string name = "astd";
  /// False: a task stays on the worker it was spawned on (from outside: spread evenly); one loop for each core.
  bool stealing = true;
  /// Binds worker i to the i-th processor that the process may use. Errors are ignored: it is a hint.
  bool pin = false;
  /// Which driver: automatic takes what ASTD_DRIVER says, else io_uring where the kernel allows it, else epoll.
  driver::choice driver = driver::choice::automatic;
  /// virtual_time: for tests. The clock stands still while anything runs and jumps to the next deadline when everything
  /// sleeps, so sleeps and limits are exact and take no time; it moves only while a thread is in block_on (or shutdown).
  clock_kind clock = clock_kind::real_time;
  /// Threads for spawn_blocking and for what the kernel cannot do without blocking; 1 to 65536.
  unsigned max_blocking_threads = 512;
  /// Calls of spawn_blocking that may wait for one of these threads; one more ends at once with
  /// resource_unavailable_try_again. A caller that awaits each call before the next never comes near it.
  std::size_t max_blocking_queue = 1'000'000;
  /// A worker that stays in one task for longer is reported to on_stall. 0: never (metrics count all the same).
  std::chrono::nanoseconds stall_limit{0};
  /// Null: one line on standard error.
  stall_handler on_stall = nullptr;
  /// SIGUSR1 or the like: dump_tasks() to standard error whenever it arrives. 0: none. Process-wide. What cannot be
  /// caught, and what reports a program's own error (SIGSEGV, SIGABRT...), is refused.
  int dump_signal = 0;

  /// The defaults with what the environment says. Throws system_error (invalid_argument), naming variable and value.
  [[nodiscard]] static runtime_options from_environment();
};

/// How a shutdown went.
struct shutdown_report {
  bool complete = true;       // every task has ended
  std::size_t remaining = 0;  // tasks that have not
  std::string text;           // their dump
};

class runtime {
 public:
  /// Throws system_error (invalid_argument, naming the option) or what starting threads throws.
  explicit runtime(runtime_options options = {});
  /// Cancels all tasks and waits for them, however long: see shutdown(). What refuses to end for longer than five
  /// seconds is reported on standard error.
  ~runtime();
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  /// As astd::spawn, on this runtime's workers. Any thread.
  template <class T>
  join_handle<T> spawn(task<T> t, std::source_location where = std::source_location::current()) {
    return detail::spawn_on(*core_, std::move(t), where);
  }
  template <class F, class... A>
    requires detail::spawnable<F, A...>
  auto spawn(F&& f, A&&... arguments) {
    return detail::spawn_on(*core_, static_cast<F&&>(f), static_cast<A&&>(arguments)...);
  }
  /// As astd::block_on; what `aw` spawns runs on this runtime's workers.
  template <awaitable A>
  await_result_t<A> block_on(A&& aw) {
    return detail::block_on_core(*core_, static_cast<A&&>(aw));
  }

  /// Cancels all tasks and waits until they have ended, at most for `limit`; tells which have not. New tasks are
  /// cancelled before they start. What a thread awaits in block_on is its own and is not cancelled; what it has spawned
  /// is. Blocking closures that run are waited for, too. Not from inside a task of this runtime, nor from its
  /// spawn_blocking: throws std::logic_error. May be called again. Any other thread.
  shutdown_report shutdown(std::chrono::nanoseconds limit);

  /// What has been going on: see metrics.hpp. Any thread; not a consistent cut.
  [[nodiscard]] runtime_metrics metrics() const;
  /// Every task with its chain of awaits, as text. Resumes nothing; holds the workers between two tasks while it reads.
  /// A worker that stays in one task is waited for at most 100 ms; that task is then named without its chain.
  [[nodiscard]] std::string dump_tasks() const;

  /// The one that spawn() uses outside of any task; started by its first use. Throws as the constructor does.
  static runtime& default_runtime();
  /// The one whose task or block_on is running on this thread, else the default runtime.
  static runtime& current();

 private:
  friend class detail::runtime_core;
  runtime(runtime_options options, detail::simulation& in, driver::sim::machine& machine);
  std::unique_ptr<detail::runtime_core> core_;
};

/// runtime::current().dump_tasks().
[[nodiscard]] std::string dump_tasks();

}  // namespace astd
