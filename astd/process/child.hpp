// A process that was started here.
//
//   auto child = co_await process::command("tr").arg("a-z").arg("A-Z")
//                    .standard_input(process::stdio::piped())
//                    .standard_output(process::stdio::piped()).spawn();
//   co_await io::write_all(child.standard_input(), "hello\n");
//   co_await child.standard_input().close();
//   auto n = co_await child.standard_output().read(buffer);
//   auto status = co_await child.wait();
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/pipe.hpp>
#include <astd/process/exit_status.hpp>

#include <coroutine>
#include <memory>
#include <optional>
#include <string>

namespace astd::process {

namespace detail {
class launch;
}

/// A child of this process, held by a descriptor (a pidfd), so that whatever is done here concerns this process and never
/// another that got its number later. Only the child itself is ever reaped, never others of the program.
///
/// The destructor does not wait. With kill_on_drop it kills the child, else the child goes on and outlives the handle; in
/// both cases it is reaped in the background when it ends, so that nothing is left defunct. A handle is neither moved nor
/// destroyed while an operation of it is in flight. One task at a time, save for kill() and send_signal(), which go
/// together with a wait().
class child {
 public:
  child(child&& other) noexcept;
  child& operator=(child&& other) noexcept;
  ~child();

  /// The process's number; it stands for this process as long as it has not been waited for.
  [[nodiscard]] int id() const noexcept { return pid_; }

  /// Closes standard_input(), if it is still here, so that a child that reads it to the end ends; then waits until the
  /// child has ended. Again, it gives the same at once. What the child still writes into a full pipe keeps it from ending:
  /// read standard_output() and standard_error() meanwhile, or see command::output(). Cancelled, it loses nothing: the next
  /// wait() has the status.
  task<exit_status> wait();

  /// The status if it has ended; empty as long as it runs. Throws system_error as wait() fails: only if somebody else has
  /// reaped it, or SIGCHLD is ignored in this program.
  [[nodiscard]] std::optional<exit_status> try_wait();

  /// Sends SIGKILL, at once; the await is over at once. wait() tells when it has ended. Does nothing if it has. Throws
  /// system_error if the system forbids it: the child is another user's by now.
  std::suspend_never kill();
  /// The same with another signal.
  std::suspend_never send_signal(int signal);

  /// Our ends of what was piped; closed if it was not. May be moved out, to be used by other tasks.
  [[nodiscard]] io::pipe_writer& standard_input() noexcept { return input_; }
  [[nodiscard]] io::pipe_reader& standard_output() noexcept { return output_; }
  [[nodiscard]] io::pipe_reader& standard_error() noexcept { return error_; }

  /// Whether the destructor kills it; from the command at first.
  void kill_on_drop(bool on) noexcept { kills_ = on; }

 private:
  friend class detail::launch;
  child(io::detail::owned_handle pidfd, int pid, std::string name, bool kills) noexcept;
  void abandon() noexcept;
  // 0: status_ holds; EAGAIN: it runs; another errno.
  int reap() noexcept;

  io::detail::owned_handle pidfd_;
  int pid_;
  bool kills_;
  std::string name_;
  std::optional<exit_status> status_;
  io::pipe_writer input_;
  io::pipe_reader output_;
  io::pipe_reader error_;
};

}  // namespace astd::process
