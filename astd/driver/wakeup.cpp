#include <astd/driver/wakeup.hpp>

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace astd::driver {

int above_standard(int descriptor) noexcept {
  if (descriptor < 0 || descriptor > STDERR_FILENO) return descriptor;
  const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int error = errno;
  ::close(descriptor);
  errno = error;
  return moved;
}

wakeup::~wakeup() {
  if (fd_ >= 0) ::close(fd_);
}

int wakeup::open() noexcept {
  fd_ = above_standard(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  return fd_ < 0 ? -errno : 0;
}

void wakeup::write_one() noexcept {
  int saved = errno;
  std::uint64_t one = 1;
  // Cannot fail: the counter would need 2^64 wakes. EINTR does not come from a non-blocking eventfd.
  [[maybe_unused]] auto written = ::write(fd_, &one, sizeof one);
  errno = saved;
}

void wakeup::drain() noexcept {
  std::uint64_t count;
  [[maybe_unused]] auto got = ::read(fd_, &count, sizeof count);
}

}  // namespace astd::driver
