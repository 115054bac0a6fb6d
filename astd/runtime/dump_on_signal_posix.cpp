#include <astd/base/error.hpp>
#include <astd/driver/wakeup.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/dump_on_signal.hpp>
#include <astd/runtime/native_thread.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace astd::detail {
namespace {

struct dumper {
  std::mutex lock;
  struct wish {
    runtime_core* core;
    int signal;
  };
  std::vector<wish> wishes;
  int pipe[2] = {-1, -1};
};

dumper& instance() {
  // Never destroyed: a signal may arrive while the process ends.
  static auto& d = *new dumper;
  return d;
}
constinit std::atomic<int> wake_descriptor{-1};

void on_signal(int signal) {
  const int saved = errno;
  const char which = static_cast<char>(signal);
  const ssize_t written = ::write(wake_descriptor.load(std::memory_order_relaxed), &which, 1);
  (void)written;  // a full pipe: a dump is on its way
  errno = saved;
}

void print_all(std::string_view text) noexcept {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(2, text.data() + done, text.size() - done);
    if (n <= 0) return;
    done += static_cast<std::size_t>(n);
  }
}

void open_pipe(int (&ends)[2]) {
  int made[2];
  int error = ::pipe2(made, O_CLOEXEC) == 0 ? 0 : errno;
  if (error == 0) {
    for (int& end : made)
      if (end = driver::above_standard(end); end < 0) error = errno;
    if (error != 0)
      for (int end : made)
        if (end >= 0) ::close(end);
  }
  if (error != 0) throw_failure(failure(std::error_code(error, std::system_category()), "dump_signal:", "pipe"));
  ::fcntl(made[1], F_SETFL, O_NONBLOCK);
  ends[0] = made[0];
  ends[1] = made[1];
}

void serve(int descriptor) {
  name_this_thread("astd-dump");
  for (;;) {
    char which;
    if (::read(descriptor, &which, 1) != 1) {
      if (errno == EINTR) continue;  // by a handler of somebody else's
      return;
    }
    dumper& d = instance();
    std::lock_guard guard(d.lock);
    for (const dumper::wish& w : d.wishes) {
      if (w.signal != which) continue;
#if ASTD_HAS_EXCEPTIONS
      try {
#endif
        print_all(w.core->dump_tasks());
#if ASTD_HAS_EXCEPTIONS
      } catch (const std::bad_alloc&) {
        print_all("astd: no memory for the dump\n");
      }
#endif
    }
  }
}

}  // namespace

bool may_dump_on(int signal) noexcept {
  switch (signal) {
    case SIGKILL:
    case SIGSTOP:
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGABRT:
    case SIGTRAP:
    case SIGSYS: return false;
    default:
      // The numbers between those of the system and SIGRTMIN belong to the C library.
      return (signal > 0 && signal < 32) || (signal >= SIGRTMIN && signal <= SIGRTMAX);
  }
}

void dump_on_signal(runtime_core& core, int signal) {
  dumper& d = instance();
  std::lock_guard guard(d.lock);
  if (d.pipe[0] < 0) {
    open_pipe(d.pipe);
    wake_descriptor.store(d.pipe[1], std::memory_order_relaxed);
    std::thread(serve, d.pipe[0]).detach();
  }
  struct sigaction action = {};
  action.sa_handler = &on_signal;
  action.sa_flags = SA_RESTART;
  if (::sigaction(signal, &action, nullptr) != 0)
    throw_failure(failure(std::error_code(errno, std::system_category()),
                          "runtime_options::dump_signal =", std::to_string(signal)));
  d.wishes.push_back({&core, signal});
}

void stop_dumping(runtime_core& core) noexcept {
  dumper& d = instance();
  std::lock_guard guard(d.lock);
  std::erase_if(d.wishes, [&](const dumper::wish& w) { return w.core == &core; });
}

}  // namespace astd::detail
