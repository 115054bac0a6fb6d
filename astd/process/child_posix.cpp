#include <astd/coro/or_return.hpp>
#include <astd/io/descriptor_operations.hpp>
#include <astd/process/child.hpp>
#include <astd/process/reaper.hpp>
#include <astd/runtime/perform_now.hpp>

#include <cerrno>
#include <csignal>

#include <poll.h>
#include <sys/wait.h>

namespace astd::process {

child::child(io::detail::owned_handle pidfd, int pid, std::string name, bool kills) noexcept
    : pidfd_(std::move(pidfd)), pid_(pid), kills_(kills), name_(std::move(name)) {}

child::child(child&& other) noexcept = default;

child& child::operator=(child&& other) noexcept {
  if (this == &other) return *this;
  abandon();
  pidfd_ = std::move(other.pidfd_);
  pid_ = other.pid_;
  kills_ = other.kills_;
  name_ = std::move(other.name_);
  status_ = other.status_;
  input_ = std::move(other.input_);
  output_ = std::move(other.output_);
  error_ = std::move(other.error_);
  return *this;
}

child::~child() { abandon(); }

void child::abandon() noexcept {
  if (!pidfd_.is_open() || status_) return;
  if (kills_) {
    driver::operation op;
    op.code = driver::opcode::signal_process;
    op.fd = pidfd_.get();
    op.args.value = SIGKILL;
    astd::detail::perform_now(op);
  }
  detail::reap_later(pidfd_.release());
}

int child::reap() noexcept {
  int how = 0;
  int status = 0;
  driver::operation op;
  op.code = driver::opcode::reap_process;
  op.fd = pidfd_.get();
  op.args.reap = {&how, &status};
  astd::detail::perform_now(op);
  if (op.result < 0) return -op.result;
  status_ = how == CLD_EXITED ? exit_status::exited(status) : exit_status::killed(status, how == CLD_DUMPED);
  return 0;
}

task<exit_status> child::wait() {
  input_.close();
  for (;;) {
    if (status_) co_return *status_;
    const int error = reap();
    if (error == 0) continue;
    if (error != EAGAIN) co_await fail({{error, std::system_category()}, "wait for", name_});
    // Waiting takes nothing away: only reap() does, and that keeps what it got.
    co_await or_return(io::detail::poll(pidfd_.get(), POLLIN, name_.c_str()));
  }
}

std::optional<exit_status> child::try_wait() {
  if (status_) return status_;
  const int error = reap();
  if (error != 0 && error != EAGAIN)
    astd::detail::throw_failure(failure({error, std::system_category()}, "wait for", name_));
  return status_;
}

std::suspend_never child::kill() { return send_signal(SIGKILL); }

std::suspend_never child::send_signal(int signal) {
  if (status_ || !pidfd_.is_open()) return {};
  driver::operation op;
  op.code = driver::opcode::signal_process;
  op.fd = pidfd_.get();
  op.args.value = signal;
  astd::detail::perform_now(op);
  // ESRCH: it has ended, and somebody has reaped it.
  if (op.result < 0 && op.result != -ESRCH)
    astd::detail::throw_failure(failure({-op.result, std::system_category()}, "send a signal to", name_));
  return {};
}

}  // namespace astd::process
