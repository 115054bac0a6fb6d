#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/pipe.hpp>
#include <astd/driver/sim/process.hpp>

#include <cerrno>
#include <csignal>
#include <utility>

#include <poll.h>

namespace astd::driver::sim {
namespace {

constinit thread_local process* current = nullptr;

std::vector<std::string> strings_of(char* const* from) {
  std::vector<std::string> all;
  for (; from && *from; ++from) all.emplace_back(*from);
  return all;
}

}  // namespace

process* process::here() noexcept { return current; }
process::turn::turn(process* p) noexcept : outer_(std::exchange(current, p)) {}
process::turn::~turn() { current = outer_; }

process::process(machine& on, int number, std::string program, const process_launch& launch)
    : machine_(on),
      number_(number),
      program_(std::move(program)),
      arguments_(strings_of(launch.arguments)),
      environment_(strings_of(launch.environment)) {}

void process::end(int how, int status) noexcept {
  how_ = how;
  status_ = status;
  for (int& fd : standard)
    if (fd > 2) static_cast<void>(machine_.close(std::exchange(fd, -1)));
  while (operation* const op = pollers_.pop_front()) machine_.in().finish(*op, POLLIN);
}

/// What a pidfd stands for.
class process_handle final : public open_file {
 public:
  explicit process_handle(std::shared_ptr<process> p) noexcept : process_(std::move(p)) {}

  std::int32_t start(operation& op) noexcept override {
    process& p = *process_;
    switch (op.code) {
      case opcode::reap_process:
        if (p.reaped_) return -ECHILD;
        if (!p.has_ended()) return -EAGAIN;
        p.reaped_ = true;
        *op.args.reap.how = p.how_;
        *op.args.reap.status = p.status_;
        return 0;
      case opcode::signal_process:
        if (p.reaped_) return -ESRCH;
        if (op.args.value < 0 || op.args.value >= NSIG) return -EINVAL;
        if (p.has_ended() || op.args.value == 0) return 0;
        return p.on().runs_programs()->signal(p, op.args.value);
      case opcode::poll:
        if (p.has_ended() && (op.args.value & POLLIN)) return POLLIN;
        if ((op.args.value & POLLIN) && p.on().in().strikes(fault::spurious_readiness, &p.on())) return POLLIN;
        p.pollers_.push_back(op);
        return pending;
      default: return -EINVAL;
    }
  }
  void cancel(operation& op) noexcept override {
    op.cancel_asked = true;
    drop(op);
  }
  std::int32_t next_connection(operation&) noexcept override { return -ENOTSOCK; }
  void crash() noexcept override {
    while (operation* const op = process_->pollers_.front()) drop(*op);
  }

 private:
  void drop(operation& op) noexcept {
    completions::erase(op);
    process_->on().in().finish(op, -ECANCELED);
  }
  const std::shared_ptr<process> process_;
};

// ---- starting one

std::int32_t machine::standard_of_child(process_launch& launch, int which) noexcept {
  const int said = launch.standard[which];
  switch (said) {
    case process_launch::null: return open(make_null_stream());
    case process_launch::piped: {
      int ends[2];
      if (const std::int32_t error = open_pair(make_pipe(*this), ends)) return error;
      launch.pipes[which] = ends[which == 0 ? 1 : 0];
      return ends[which == 0 ? 0 : 1];
    }
    default: break;
  }
  const int from = said == process_launch::inherited ? standard_here(which) : standard_here(said);
  // The machine's own are never closed.
  return from >= 0 && from <= 2 ? from : duplicate(from);
}

std::int32_t machine::start_process(process_launch& launch) noexcept {
  std::shared_ptr<process> child;
  const auto give_up = [&](const char* step, std::int32_t error) {
    launch.failed = step;
    for (int& fd : launch.pipes)
      if (fd >= 0) static_cast<void>(close(std::exchange(fd, -1)));
    if (child)
      for (const int fd : child->standard)
        if (fd > 2) static_cast<void>(close(fd));
    return error;
  };
  // A world has one folder for all, one user, and no limits but its own.
  if (launch.directory) return give_up("change directory for", -ENOSYS);
  if (launch.user_id >= 0) return give_up("set user of", -ENOSYS);
  if (launch.group_id >= 0) return give_up("set group of", -ENOSYS);
  if (!launch.limits.empty()) return give_up("set limits of", -ENOSYS);
  if (!programs_) return give_up("start", -ENOSYS);
  const char* const* path = launch.programs;
  while (*path && !programs_->knows(*path)) ++path;
  if (!*path) return give_up("start", -ENOENT);
  child = std::make_shared<process>(*this, next_process_++, *path, launch);
  for (int i = 0; i < 3; ++i) {
    const std::int32_t fd = standard_of_child(launch, i);
    if (fd < 0) return give_up("pipe for", fd);
    child->standard[i] = fd;
  }
  const int handle = open(std::make_shared<process_handle>(child));
  if (handle < 0) return give_up("start", handle);
  launch.failed = nullptr;
  launch.pid = child->number();
  programs_->start(std::move(child));
  return handle;
}

int machine::standard_here(int descriptor) const noexcept {
  if (descriptor < 0 || descriptor > 2) return descriptor;
  const process* const p = process::here();
  return p && &p->on() == this ? p->standard[descriptor] : descriptor;
}

}  // namespace astd::driver::sim
