#include <astd/driver/generation.hpp>
#include <astd/driver/process_launch.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/wakeup.hpp>
#include <astd/io/native_handle.hpp>
#include <astd/process/reaper.hpp>
#include <astd/runtime/native_thread.hpp>

#include <cerrno>
#include <mutex>

#include <sys/epoll.h>
#include <unistd.h>

namespace astd::process::detail {
namespace {

// Never destroyed: handles may go while the process ends.
struct reaper {
  std::mutex lock;
  int epoll = -1;
  bool runs = false;
};
reaper& instance() {
  static auto& r = *new reaper;
  return r;
}

// Whether it is gone.
bool try_reap(int pidfd) noexcept {
  int how, status;
  if (driver::reap_process(pidfd, how, status) == -EAGAIN) return false;
  driver::new_generation(pidfd);
  ::close(pidfd);
  return true;
}

void* serve(void* epoll) {
  astd::detail::name_this_thread("astd-reaper");
  const int descriptor = static_cast<int>(reinterpret_cast<std::intptr_t>(epoll));
  for (;;) {
    epoll_event ended[64];
    const int count = ::epoll_wait(descriptor, ended, 64, -1);
    // Somebody has closed it, with all descriptors of the process: there is nobody to be waited for any more.
    if (count < 0 && errno != EINTR) ::usleep(100'000);
    for (int i = 0; i < count; ++i) (void)try_reap(ended[i].data.fd);
  }
}

// The epoll, with a thread that serves it; -1 if the system gives none.
int running(reaper& r) noexcept {
  if (r.epoll < 0) r.epoll = driver::above_standard(::epoll_create1(EPOLL_CLOEXEC));
  if (r.epoll >= 0 && !r.runs)
    r.runs = astd::detail::start_thread(&serve, reinterpret_cast<void*>(static_cast<std::intptr_t>(r.epoll))) == 0;
  return r.runs ? r.epoll : -1;
}

}  // namespace

void reap_later(int pidfd) noexcept {
  // Nothing of a simulated child is left behind.
  if (driver::sim::machine::here()) return io::detail::close_descriptor(pidfd);
  if (try_reap(pidfd)) return;
  reaper& r = instance();
  const std::lock_guard guard(r.lock);
  epoll_event when{};
  when.events = EPOLLIN | EPOLLONESHOT;
  when.data.fd = pidfd;
  const int epoll = running(r);
  // Without a thread there is nothing better than to leave the child to the end of this process: to wait here would stop
  // a worker for as long as the child likes.
  if (epoll < 0 || ::epoll_ctl(epoll, EPOLL_CTL_ADD, pidfd, &when) != 0) {
    driver::new_generation(pidfd);
    ::close(pidfd);
  }
}

}  // namespace astd::process::detail
