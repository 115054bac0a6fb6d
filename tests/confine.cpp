// Runs a command in circumstances that a user may find himself in, to see that astd copes with them:
//
//   astd_confine --refuse-io-uring=EPERM COMMAND...   the kernel refuses io_uring: EPERM, ENOSYS, ENOMEM, EACCES,
//                                                     EINVAL, EOPNOTSUPP, EMFILE, or SIGSYS: the process is killed for
//                                                     asking. `EPERM,enter` refuses this one call: setup, enter, register
//   astd_confine --io-uring-disabled COMMAND...       kernel.io_uring_disabled reads 2, and asking is deadly
//   astd_confine --memlock=65536 COMMAND...           this much memory may be locked, also for root
//   astd_confine --descriptors=64 COMMAND...          this many descriptors may be open
//   astd_confine --processors=1 COMMAND...            this many processors may be used
//   astd_confine --ordinary-user COMMAND...           without root's rights, as the user `nobody`
//   astd_confine --tests=FILTER COMMAND...            GoogleTest's filter, unless GTEST_FILTER is there already
//   astd_confine --need-io-uring COMMAND...           exits with 77 if io_uring is refused here already
//
// They are applied from left to right. One that this machine does not allow is said, and exits with 77: left out.
#include <seccomp.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr int skipped = 77;

[[noreturn]] void fail(const char* what, int error) {
  std::fprintf(stderr, "astd_confine: %s: %s\n", what, std::strerror(error));
  std::exit(2);
}

[[noreturn]] void leave_out(const char* why, int error) {
  std::printf("skipped: %s (%s)\n", why, std::strerror(error));
  std::exit(skipped);
}

[[noreturn]] void usage(std::string_view wrong) {
  std::fprintf(stderr, "astd_confine: %.*s: not understood; the head of tests/confine.cpp lists what is\n",
               static_cast<int>(wrong.size()), wrong.data());
  std::exit(2);
}

rlim_t number(std::string_view text) {
  rlim_t result = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), result);
  if (error != std::errc() || end != text.end()) usage(text);
  return result;
}

std::uint32_t action_of(std::string_view how) {
  if (how == "SIGSYS") return SCMP_ACT_KILL_PROCESS;
  const struct {
    std::string_view name;
    std::uint32_t value;
  } errors[] = {{"EPERM", EPERM},   {"ENOSYS", ENOSYS},         {"ENOMEM", ENOMEM}, {"EACCES", EACCES},
                {"EINVAL", EINVAL}, {"EOPNOTSUPP", EOPNOTSUPP}, {"EMFILE", EMFILE}};
  for (const auto& error : errors)
    if (how == error.name) return SCMP_ACT_ERRNO(error.value);
  usage(how);
}

// ERROR or ERROR,CALL
void refuse_io_uring(std::string_view what) {
  const std::string_view how = what.substr(0, what.find(','));
  const std::string_view which = how.size() == what.size() ? "" : what.substr(how.size() + 1);
  const struct {
    std::string_view name;
    int number;
  } calls[] = {{"setup", SCMP_SYS(io_uring_setup)},
               {"enter", SCMP_SYS(io_uring_enter)},
               {"register", SCMP_SYS(io_uring_register)}};
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) fail("seccomp_init", ENOMEM);
  bool any = false;
  for (const auto& call : calls) {
    if (!which.empty() && which != call.name) continue;
    any = true;
    if (int error = seccomp_rule_add(filter, action_of(how), call.number, 0); error < 0)
      fail("seccomp_rule_add", -error);
  }
  if (!any) usage(which);
  if (int error = seccomp_load(filter); error < 0) fail("seccomp_load", -error);
  seccomp_release(filter);
}

// The sysctl itself is the whole machine's: we see another file in its place, in a name space of our own.
void disable_io_uring() {
  constexpr const char* sysctl = "/proc/sys/kernel/io_uring_disabled";
  if (access(sysctl, R_OK) != 0) leave_out("this kernel has no kernel.io_uring_disabled", errno);
  if (unshare(CLONE_NEWNS) != 0) leave_out("no mount name space of our own", errno);
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) leave_out("mounts stay shared", errno);
  char path[] = "/tmp/astd_confine.XXXXXX";
  const int file = mkstemp(path);
  if (file < 0) fail(path, errno);
  if (write(file, "2\n", 2) != 2 || fchmod(file, 0444) != 0) fail(path, errno);
  close(file);
  const int mounted = mount(path, sysctl, nullptr, MS_BIND, nullptr);
  const int error = errno;
  unlink(path);
  if (mounted != 0) leave_out("nothing can be mounted over the sysctl", error);
  refuse_io_uring("SIGSYS");
}

void limit_memlock(rlim_t bytes) {
  const rlimit both{bytes, bytes};
  if (setrlimit(RLIMIT_MEMLOCK, &both) != 0) fail("setrlimit", errno);
  // The limit does not count for whoever may lock memory. Root loses that right with the next exec; others lack it.
  if (geteuid() == 0 && prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK) != 0) fail("PR_CAPBSET_DROP", errno);
}

void limit_descriptors(rlim_t count) {
  // What we were given beyond the standard ones would count.
  close_range(3, ~0u, 0);
  const rlimit both{count, count};
  if (setrlimit(RLIMIT_NOFILE, &both) != 0) fail("setrlimit", errno);
}

void limit_processors(rlim_t count) {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) fail("sched_getaffinity", errno);
  cpu_set_t few;
  CPU_ZERO(&few);
  for (std::size_t i = 0; i < CPU_SETSIZE && count > 0; ++i) {
    if (!CPU_ISSET(i, &usable)) continue;
    CPU_SET(i, &few);
    --count;
  }
  if (count > 0) leave_out("there are fewer processors", EINVAL);
  if (sched_setaffinity(0, sizeof few, &few) != 0) fail("sched_setaffinity", errno);
}

void become_nobody() {
  if (geteuid() != 0) return;  // an ordinary user already
  constexpr unsigned nobody = 65534;
  if (setgroups(0, nullptr) != 0 || setgid(nobody) != 0 || setuid(nobody) != 0)
    leave_out("cannot become nobody", errno);
}

void need_io_uring() {
  // Allowed: the kernel goes on to read the parameters, and there are none.
  if (syscall(SYS_io_uring_setup, 1, nullptr) == -1 && errno == EFAULT) return;
  leave_out("io_uring is refused on this machine", errno);
}

}  // namespace

int main(int argc, char** argv) {
  int i = 1;
  for (; i < argc && std::string_view(argv[i]).starts_with("--"); ++i) {
    const std::string_view option = argv[i];
    const std::string_view value = option.substr(option.find('=') + 1);
    if (option == "--need-io-uring") {
      need_io_uring();
    } else if (option == "--io-uring-disabled") {
      disable_io_uring();
    } else if (option == "--ordinary-user") {
      become_nobody();
    } else if (option.starts_with("--refuse-io-uring=")) {
      refuse_io_uring(value);
    } else if (option.starts_with("--tests=")) {
      setenv("GTEST_FILTER", argv[i] + option.find('=') + 1, 0);
    } else if (option.starts_with("--memlock=")) {
      limit_memlock(number(value));
    } else if (option.starts_with("--descriptors=")) {
      limit_descriptors(number(value));
    } else if (option.starts_with("--processors=")) {
      limit_processors(number(value));
    } else {
      usage(option);
    }
  }
  if (i == argc) usage("nothing to run");
  // Where the build lies in a folder of root's own.
  if (access(argv[i], X_OK) != 0 && errno == EACCES) leave_out("this user may not run what was built", errno);
  execvp(argv[i], argv + i);
  fail(argv[i], errno);
}
