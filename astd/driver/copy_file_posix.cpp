#include <astd/driver/copy_file.hpp>
#include <astd/driver/wakeup.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace astd::driver {
namespace {

class descriptor {
 public:
  explicit descriptor(int opened) noexcept : number_(opened >= 0 ? above_standard(opened) : -1) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (is_open()) ::close(number_);
  }
  [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }
  operator int() const noexcept { return number_; }
  /// What could not be stored is told here.
  [[nodiscard]] std::int32_t close() noexcept {
    return ::close(std::exchange(number_, -1)) == 0 || errno == EINTR ? 0 : -errno;
  }

 private:
  int number_;
};

// Two that do not do it for each other. Asked before anything is written, so nothing is copied twice.
bool needs_a_buffer(int error) noexcept {
  return error == EXDEV || error == EINVAL || error == EOPNOTSUPP || error == ENOSYS || error == EPERM;
}

std::int32_t copy_by_hand(int from, int to) noexcept {
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t n = ::read(from, buffer, sizeof buffer);
    if (n == 0) return 0;
    if (n < 0 && errno != EINTR) return -errno;
    for (ssize_t written = 0; written < n;) {
      const ssize_t w = ::write(to, buffer + written, static_cast<std::size_t>(n - written));
      if (w < 0 && errno != EINTR) return -errno;
      written += std::max<ssize_t>(w, 0);
    }
  }
}

std::int32_t copy_bytes(int from, int to, std::size_t size) noexcept {
  for (std::size_t copied = 0; copied < size;) {
    const ssize_t n = ::copy_file_range(from, nullptr, to, nullptr, size - copied, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && copied == 0 && needs_a_buffer(errno)) break;
    if (n < 0) return -errno;
    if (n == 0) break;
    copied += static_cast<std::size_t>(n);
    if (copied == size) return 0;
  }
  // It has shrunk meanwhile, or is one of those whose size says nothing of what a read gives: both go on where they are.
  return copy_by_hand(from, to);
}

}  // namespace

std::int32_t copy_file(const operation& op) noexcept {
  const copy_file_arguments& a = op.args.copy_file;
  const descriptor from(::openat(op.fd, a.from, a.flags | O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct ::stat status;
  if (!from.is_open() || ::fstat(from, &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::uint64_t>(status.st_size) > a.most)
    return copy_file_declined;
  const unsigned mode = status.st_mode & 07777;
  descriptor to(::openat(a.to_directory, a.to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0777));
  if (!to.is_open()) return copy_file_declined;
  if (const std::int32_t error = copy_bytes(from, to, static_cast<std::size_t>(status.st_size)); error != 0)
    return error;
  // The umask has had its say.
  if (::fchmod(to, mode) != 0) return -errno;
  return to.close();
}

}  // namespace astd::driver
