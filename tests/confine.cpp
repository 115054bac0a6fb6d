// Runs a command in circumstances that a user may find himself in, to see that astd copes with them:
//
//   astd_confine --refuse-io-uring=EPERM COMMAND...   the kernel refuses io_uring: EPERM, ENOSYS, ENOMEM, or
//                                                     SIGSYS: the process is killed for asking
//   astd_confine --memlock=65536 COMMAND...           this much memory may be locked, also for root
//   astd_confine --need-io-uring COMMAND...           exits with 77 if io_uring is refused here already
#include <seccomp.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr int skipped = 77;

[[noreturn]] void fail(const char* what, int error) {
  std::fprintf(stderr, "astd_confine: %s: %s\n", what, std::strerror(error));
  std::exit(2);
}

[[noreturn]] void usage(std::string_view wrong) {
  std::fprintf(stderr, "astd_confine: %.*s: not understood; the head of tests/confine.cpp lists what is\n",
               static_cast<int>(wrong.size()), wrong.data());
  std::exit(2);
}

void refuse_io_uring(std::string_view how) {
  std::uint32_t action = 0;
  if (how == "EPERM") {
    action = SCMP_ACT_ERRNO(EPERM);
  } else if (how == "ENOSYS") {
    action = SCMP_ACT_ERRNO(ENOSYS);
  } else if (how == "ENOMEM") {
    action = SCMP_ACT_ERRNO(ENOMEM);
  } else if (how == "SIGSYS") {
    action = SCMP_ACT_KILL_PROCESS;
  } else {
    usage(how);
  }
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) fail("seccomp_init", ENOMEM);
  for (int call : {SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register)}) {
    if (int error = seccomp_rule_add(filter, action, call, 0); error < 0) fail("seccomp_rule_add", -error);
  }
  if (int error = seccomp_load(filter); error < 0) fail("seccomp_load", -error);
  seccomp_release(filter);
}

void limit_memlock(std::string_view bytes) {
  rlim_t limit = 0;
  auto [end, error] = std::from_chars(bytes.begin(), bytes.end(), limit);
  if (error != std::errc() || end != bytes.end()) usage(bytes);
  const rlimit both{limit, limit};
  if (setrlimit(RLIMIT_MEMLOCK, &both) != 0) fail("setrlimit", errno);
  // The limit does not count for whoever may lock memory. Root loses that right with the next exec; others lack it.
  if (geteuid() == 0 && prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK) != 0) fail("PR_CAPBSET_DROP", errno);
}

void need_io_uring() {
  // Allowed: the kernel goes on to read the parameters, and there are none.
  if (syscall(SYS_io_uring_setup, 1, nullptr) == -1 && errno == EFAULT) return;
  std::printf("skipped: io_uring is refused on this machine (%s)\n", std::strerror(errno));
  std::exit(skipped);
}

}  // namespace

int main(int argc, char** argv) {
  int i = 1;
  for (; i < argc && std::string_view(argv[i]).starts_with("--"); ++i) {
    const std::string_view option = argv[i];
    const std::string_view value = option.substr(option.find('=') + 1);
    if (option == "--need-io-uring") {
      need_io_uring();
    } else if (option.starts_with("--refuse-io-uring=")) {
      refuse_io_uring(value);
    } else if (option.starts_with("--memlock=")) {
      limit_memlock(value);
    } else {
      usage(option);
    }
  }
  if (i == argc) usage("nothing to run");
  execvp(argv[i], argv + i);
  fail(argv[i], errno);
}
