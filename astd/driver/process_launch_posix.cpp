#include <astd/base/config.hpp>
#include <astd/driver/generation.hpp>
#include <astd/driver/process_launch.hpp>
#include <astd/driver/wakeup.hpp>

#include <cerrno>
#include <csignal>
#include <new>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

namespace astd::driver {
namespace {

// The child runs in the parent's memory until its program begins, and the calling thread stands still meanwhile: nothing
// is copied. The thread sanitizer does not bear that (its clone() takes the child for a copy, and its table of handlers
// would be changed for the parent as well): under it the child is a copy.
constexpr int in_our_memory = ASTD_THREAD_SANITIZED ? 0 : CLONE_VM;

// What the child writes, in memory of both in either case.
struct birth {
  const process_launch& launch;
  int standard[3];  // what becomes 0, 1 and 2; or inherited, or null
  volatile int error = 0;
  const char* volatile failed = nullptr;  // a literal
};

[[noreturn]] void give_up(birth& b, const char* step) noexcept {
  b.error = errno;
  b.failed = step;
  ::_exit(127);
}

// Handlers would run in the parent's memory. Other threads' dispositions are untouched: the table is the child's copy.
void reset_signals() noexcept {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction now;
    if (::sigaction(signal, nullptr, &now) != 0) continue;
    if (now.sa_handler == SIG_DFL || (now.sa_handler == SIG_IGN && signal != SIGPIPE)) continue;
    now = {};
    now.sa_handler = SIG_DFL;
    ::sigaction(signal, &now, nullptr);
  }
}

void become_standard(birth& b, int which) noexcept {
  int from = b.standard[which];
  if (from == process_launch::inherited) return;
  if (from == process_launch::null) {
    from = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (from < 0) give_up(b, "open /dev/null for");
  }
  // dup2 of a descriptor to itself would leave it to be closed by exec.
  const bool done = from == which ? ::fcntl(from, F_SETFD, 0) == 0 : ::dup2(from, which) == which;
  if (!done) give_up(b, "dup2 for");
}

// System calls by their number: the library's functions would change all threads of the parent.
void change_user(birth& b) noexcept {
  const process_launch& l = b.launch;
  if (l.group_id < 0 && l.user_id < 0) return;
  // The superuser's further groups are not for others.
  if (l.user_id > 0 && ::geteuid() == 0 && ::syscall(SYS_setgroups, 0, nullptr) != 0) give_up(b, "set groups of");
  if (l.group_id >= 0 && ::syscall(SYS_setgid, static_cast<gid_t>(l.group_id)) != 0) give_up(b, "set group of");
  if (l.user_id >= 0 && ::syscall(SYS_setuid, static_cast<uid_t>(l.user_id)) != 0) give_up(b, "set user of");
}

int run_child(void* argument) {
  birth& b = *static_cast<birth*>(argument);
  const process_launch& l = b.launch;
  reset_signals();
  if (l.new_session && ::setsid() < 0) give_up(b, "new session for");
  if (l.group >= 0 && !l.new_session && ::setpgid(0, l.group) != 0) give_up(b, "set process group of");
  for (int i = 0; i < 3; ++i) become_standard(b, i);
  for (const process_launch::limit& limit : l.limits) {
    const rlimit wanted{limit.soft, limit.hard};
    if (::setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &wanted) != 0) give_up(b, "set limits of");
  }
  if (l.directory && ::chdir(l.directory) != 0) give_up(b, "change directory for");
  change_user(b);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  bool denied = false;
  for (const char* const* path = l.programs; *path; ++path) {
    ::execve(*path, l.arguments, l.environment ? l.environment : environ);
    // The next folder of PATH may have it. Of one that we may not even look into nothing is known: it counts as not there.
    // If there is no other, the error is what the system said.
    if (!l.programs[1] || (errno != ENOENT && errno != ENOTDIR && errno != EACCES)) give_up(b, "start");
    if (errno == EACCES && ::access(*path, F_OK) == 0) denied = true;
  }
  errno = denied ? EACCES : ENOENT;
  give_up(b, "start");
}

int close_quietly(int fd) noexcept {
  if (fd >= 0) {
    new_generation(fd);
    ::close(fd);
  }
  return -1;
}

// The pipes of a launch, until they are somebody's.
class pipe_set {
 public:
  explicit pipe_set(process_launch& l) noexcept : launch_(l) {}
  ~pipe_set() {
    for (int& fd : theirs_) fd = close_quietly(fd);
    if (!kept_)
      for (int& fd : launch_.pipes) fd = close_quietly(fd);
  }
  pipe_set(const pipe_set&) = delete;
  pipe_set& operator=(const pipe_set&) = delete;

  bool make(int which, int& standard) noexcept {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    // Above 2 where those are closed: the program may well open them later, and the child's own are set last.
    for (int& end : ends) end = above_standard(end);
    if (ends[0] < 0 || ends[1] < 0) {
      const int error = errno;
      for (const int end : ends)
        if (end >= 0) ::close(end);
      errno = error;
      return false;
    }
    for (int end : ends) new_generation(end);
    const bool input = which == 0;
    launch_.pipes[which] = ends[input ? 1 : 0];
    theirs_[which] = ends[input ? 0 : 1];
    standard = theirs_[which];
    // Ours alone: the ends of a pipe are two open files.
    return ::fcntl(launch_.pipes[which], F_SETFL, O_NONBLOCK) == 0;
  }
  // A descriptor that is to become 0, 1 or 2 must not be overwritten by another that does so before.
  bool lift(int which, int& standard) noexcept {
    if (standard < 0 || standard > 2 || standard == which) return true;
    const int above = ::fcntl(standard, F_DUPFD_CLOEXEC, 3);
    if (above < 0) return false;
    new_generation(above);
    close_quietly(theirs_[which]);
    theirs_[which] = standard = above;
    return true;
  }
  void keep() noexcept { kept_ = true; }

 private:
  process_launch& launch_;
  int theirs_[3] = {-1, -1, -1};
  bool kept_ = false;
};

class child_stack {
 public:
  child_stack() noexcept
      : memory_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, seen_by_both | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {}
  ~child_stack() {
    if (*this) ::munmap(memory_, size);
  }
  child_stack(const child_stack&) = delete;
  child_stack& operator=(const child_stack&) = delete;
  explicit operator bool() const noexcept { return memory_ != MAP_FAILED; }
  [[nodiscard]] void* top() const noexcept { return static_cast<char*>(memory_) + size; }
  /// The other end of it.
  [[nodiscard]] void* bottom() const noexcept { return memory_; }

 private:
  static constexpr int seen_by_both = in_our_memory ? MAP_PRIVATE : MAP_SHARED;
  static constexpr std::size_t size = 256 * 1024;  // touched where it is used, and no more
  void* memory_;
};

class all_signals_blocked {
 public:
  all_signals_blocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~all_signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  all_signals_blocked(const all_signals_blocked&) = delete;
  all_signals_blocked& operator=(const all_signals_blocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

std::int32_t launch_process(process_launch& launch) noexcept {
  const child_stack stack;
  if (!stack) return -ENOMEM;
  birth& b = *::new (stack.bottom()) birth{launch, {launch.standard[0], launch.standard[1], launch.standard[2]}};
  pipe_set pipes(launch);
  launch.failed = "pipe for";
  for (int i = 0; i < 3; ++i) {
    if (b.standard[i] == process_launch::piped && !pipes.make(i, b.standard[i])) return -errno;
    if (!pipes.lift(i, b.standard[i])) return -errno;
  }
  launch.failed = "start";
  int pidfd = -1;
  int pid;
  {
    const all_signals_blocked blocked;
    // CLONE_VFORK: the call returns when the program has begun, or the child is gone.
    pid = ::clone(run_child, stack.top(), in_our_memory | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &b, &pidfd);
    if (pid < 0) return -errno;
  }
  // It stays where it is if there is no other number: the child runs.
  if (pidfd <= STDERR_FILENO)
    if (const int above = ::fcntl(pidfd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1); above >= 0) {
      ::close(pidfd);
      pidfd = above;
    }
  if (const int error = b.error) {
    launch.failed = b.failed;
    int how, status;
    while (reap_process(pidfd, how, status) == -EAGAIN) {
      // It has called _exit already.
      siginfo_t gone;
      ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &gone, WEXITED | WNOWAIT);
    }
    close_quietly(pidfd);
    return -error;
  }
  launch.failed = nullptr;
  launch.pid = pid;
  pipes.keep();
  return pidfd;
}

std::int32_t reap_process(int pidfd, int& how, int& status) noexcept {
  siginfo_t info{};
  for (;;) {
    // __WALL is not needed: what was cloned with SIGCHLD is an ordinary child.
    if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG) == 0) break;
    if (errno != EINTR) return -errno;
  }
  if (info.si_pid == 0) return -EAGAIN;
  how = info.si_code;
  status = info.si_status;
  return 0;
}

std::int32_t signal_process(int pidfd, int signal) noexcept {
  if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0) return 0;
  return -errno;
}

}  // namespace astd::driver
