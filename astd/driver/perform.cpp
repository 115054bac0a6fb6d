// Every operation as plain system calls that may block: for the blocking pool, and for what cannot block anyway.
#include <astd/driver/attempt.hpp>
#include <astd/driver/copy_file.hpp>
#include <astd/driver/driver.hpp>
#include <astd/driver/generation.hpp>
#include <astd/driver/process_launch.hpp>
#include <astd/driver/sim/machine.hpp>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <span>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace astd::driver {

namespace {

template <class Call>
std::int32_t retried(Call call) noexcept {
  for (;;) {
    auto result = call();
    if (result >= 0) return static_cast<std::int32_t>(result);
    if (errno != EINTR) return -errno;
  }
}

std::int32_t fresh(std::int32_t fd) noexcept {
  if (fd >= 0) new_generation(fd);
  return fd;
}

std::int32_t fresh_pair(const int* ends, std::int32_t result) noexcept {
  if (result < 0) return result;
  new_generation(ends[0]);
  new_generation(ends[1]);
  return result;
}

std::int32_t close_descriptor(int fd) noexcept {
  // Before, not after: the number may be given out again the moment it is free.
  new_generation(fd);
  // Not repeated after EINTR: Linux has freed the number by then.
  if (::close(fd) == 0 || errno == EINTR) return 0;
  return -errno;
}

std::int32_t set_option(operation& op) noexcept {
  const auto& o = op.args.option;
  if (::setsockopt(op.fd, o.level, o.name, o.value, *o.length) != 0) return -errno;
  if (o.level == IPPROTO_TCP && o.name == TCP_ULP) mark_records(op.fd);
  return 0;
}

// Sleeps until `op` can be tried again: positive, or a negated errno.
std::int32_t wait_for(const operation& op) noexcept {
  short events = is_input(op.code) ? POLLIN : POLLOUT;
  if (op.code == opcode::poll) events = static_cast<short>(op.args.value);
  pollfd p{op.fd, events, 0};
  return retried([&] { return ::poll(&p, 1, -1); });
}

std::int32_t attempt(operation& op, bool again) noexcept {
  switch (nature_of(op.code)) {
    case nature::socket: return attempt_socket(op, again);
    case nature::polling: return attempt_poll(op);
    default: return transfer_once(op);
  }
}

std::int32_t wait_and_attempt(operation& op) noexcept {
  std::int32_t result = attempt(op, false);
  while (result == not_yet) {
    if (std::int32_t ready = wait_for(op); ready < 0) return ready;
    result = attempt(op, true);
  }
  return result;
}

std::int32_t real_path(const text_arguments& a) noexcept {
  char found[PATH_MAX];
  if (!::realpath(a.path, found)) return -errno;
  const std::size_t length = std::strlen(found);
  if (length > a.size) return -ERANGE;
  std::memcpy(a.to, found, length);
  return static_cast<std::int32_t>(length);
}

std::int32_t current_path(const text_arguments& a) noexcept {
  char found[PATH_MAX];
  if (!::getcwd(found, sizeof found)) return -errno;
  const std::size_t length = std::strlen(found);
  if (length > a.size) return -ERANGE;
  std::memcpy(a.to, found, length);
  return static_cast<std::int32_t>(length);
}

// To the end, or until another entry might not fit: one visit to the pool instead of two or more.
std::int32_t read_directory(operation& op) noexcept {
  auto& a = op.args.directory;
  a.descriptor = -1;
  int fd = op.fd;
  if (a.path) {
    fd = retried([&] { return ::openat(op.fd, a.path, a.flags | O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return fd;
  }
  std::size_t filled = 0;
  std::int32_t got = 1;
  while (a.size - filled >= largest_directory_entry) {
    got = retried(
        [&] { return ::syscall(SYS_getdents64, fd, static_cast<char*>(a.data) + filled, a.size - filled); });
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (a.path && got <= 0) ::close(fd);
  // What was read before the error is of no use to somebody who wants all.
  if (got < 0) return got;
  if (got > 0) a.descriptor = a.path ? fresh(fd) : fd;
  return static_cast<std::int32_t>(filled);
}

std::int32_t copy_range(operation& op) noexcept {
  const auto& a = op.args.copy;
  loff_t from = a.from_offset, to = a.to_offset;
  const std::size_t most = a.size < 0x7ffff000 ? a.size : 0x7ffff000;
  return retried([&] { return ::copy_file_range(a.from, &from, op.fd, &to, most, 0); });
}

std::int32_t seek(operation& op) noexcept {
  const off_t now = ::lseek(op.fd, op.args.seek.offset, op.args.seek.whence);
  if (now < 0) return -errno;
  op.args.seek.offset = now;
  return 0;
}

std::int32_t call(operation& op) noexcept {
  const auto& a = op.args;
  switch (op.code) {
    case opcode::socket:
      return fresh(retried([&] {
        return ::socket(a.socket.domain, a.socket.type | SOCK_NONBLOCK | SOCK_CLOEXEC, a.socket.protocol);
      }));
    case opcode::bind: return retried([&] { return ::bind(op.fd, a.address.address, *a.address.length); });
    case opcode::listen: return retried([&] { return ::listen(op.fd, a.value); });
    case opcode::shutdown: return retried([&] { return ::shutdown(op.fd, a.value); });
    case opcode::local_name:
      return retried([&] { return ::getsockname(op.fd, a.address.address, a.address.length); });
    case opcode::peer_name:
      return retried([&] { return ::getpeername(op.fd, a.address.address, a.address.length); });
    case opcode::set_option: return set_option(op);
    case opcode::get_option:
      return retried(
          [&] { return ::getsockopt(op.fd, a.option.level, a.option.name, a.option.value, a.option.length); });
    case opcode::accept:
    case opcode::accept_many:
    case opcode::connect:
    case opcode::recv:
    case opcode::send:
    case opcode::recvmsg:
    case opcode::sendmsg:
    case opcode::recvmmsg:
    case opcode::sendmmsg:
    case opcode::splice_in:
    case opcode::splice_out:
    case opcode::sendfile:
    case opcode::readable:
    case opcode::writable:
    case opcode::poll:
    case opcode::read:
    case opcode::write:
    case opcode::readv:
    case opcode::writev: return wait_and_attempt(op);
    case opcode::openat:
      return fresh(retried([&] { return ::openat(op.fd, a.path.path, a.path.flags | O_CLOEXEC, a.path.mode); }));
    case opcode::close: return close_descriptor(op.fd);
    case opcode::fsync: return retried([&] { return a.value ? ::fdatasync(op.fd) : ::fsync(op.fd); });
    case opcode::ftruncate: return retried([&] { return ::ftruncate(op.fd, a.transfer.offset); });
    case opcode::statx:
      return retried([&] { return ::statx(op.fd, a.stat.path, a.stat.flags, a.stat.mask, a.stat.result); });
    case opcode::renameat:
      return retried([&] {
        return ::renameat2(op.fd, a.two_paths.from, a.two_paths.to_directory, a.two_paths.to, a.two_paths.flags);
      });
    case opcode::unlinkat: return retried([&] { return ::unlinkat(op.fd, a.path.path, a.path.flags); });
    case opcode::mkdirat: return retried([&] { return ::mkdirat(op.fd, a.path.path, a.path.mode); });
    case opcode::linkat:
      return retried([&] {
        return ::linkat(op.fd, a.two_paths.from, a.two_paths.to_directory, a.two_paths.to,
                        static_cast<int>(a.two_paths.flags));
      });
    case opcode::symlinkat:
      return retried([&] { return ::symlinkat(a.two_paths.from, a.two_paths.to_directory, a.two_paths.to); });
    case opcode::fallocate:
      return retried([&] { return ::fallocate(op.fd, a.range.how, a.range.offset, a.range.length); });
    // This one returns the error.
    case opcode::fadvise: return -::posix_fadvise(op.fd, a.range.offset, a.range.length, a.range.how);
    case opcode::readlinkat:
      return retried([&] { return ::readlinkat(op.fd, a.text.path, a.text.to, a.text.size); });
    case opcode::realpath: return real_path(a.text);
    case opcode::read_directory: return read_directory(op);
    case opcode::fchmodat:
      return retried([&] {
        return a.path.path ? ::fchmodat(op.fd, a.path.path, a.path.mode, 0) : ::fchmod(op.fd, a.path.mode);
      });
    case opcode::fchownat:
      return retried([&] {
        return a.owner.path ? ::fchownat(op.fd, a.owner.path, a.owner.user, a.owner.group, a.owner.flags)
                            : ::fchown(op.fd, a.owner.user, a.owner.group);
      });
    case opcode::utimensat:
      return retried([&] {
        return a.times.path ? ::utimensat(op.fd, a.times.path, a.times.times, a.times.flags)
                            : ::futimens(op.fd, a.times.times);
      });
    case opcode::copy_file_range: return copy_range(op);
    case opcode::ficlone: return retried([&] { return ::ioctl(op.fd, FICLONE, a.value); });
    case opcode::copy_file: return copy_file(op);
    case opcode::batch:
      for (operation& one : std::span(a.batch.first, a.batch.count)) one.result = call(one);
      return 0;
    case opcode::flock: return retried([&] { return ::flock(op.fd, a.value | LOCK_NB); });
    case opcode::statvfs: return retried([&] { return ::statvfs(a.space.path, a.space.result); });
    case opcode::chdir: return retried([&] { return ::chdir(a.path.path); });
    case opcode::lseek: return seek(op);
    case opcode::dup: return fresh(retried([&] { return ::fcntl(op.fd, F_DUPFD_CLOEXEC, 3); }));
    case opcode::getcwd: return current_path(a.text);
    case opcode::socket_pair:
      return fresh_pair(a.pair.ends, retried([&] {
                          const int type = a.pair.type | SOCK_NONBLOCK | SOCK_CLOEXEC;
                          return ::socketpair(a.pair.domain, type, a.pair.protocol, a.pair.ends);
                        }));
    case opcode::pipe:
      return fresh_pair(a.pair.ends, retried([&] { return ::pipe2(a.pair.ends, a.pair.type | O_CLOEXEC); }));
    case opcode::start_process: return fresh(launch_process(*a.launch.launch));
    case opcode::reap_process: return reap_process(op.fd, *a.reap.how, *a.reap.status);
    case opcode::signal_process: return signal_process(op.fd, a.value);
    case opcode::watch_open: return fresh(retried([&] { return ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }));
    case opcode::watch_add:
      return retried(
          [&] { return ::inotify_add_watch(op.fd, a.path.path, static_cast<std::uint32_t>(a.path.flags)); });
    case opcode::watch_remove: return retried([&] { return ::inotify_rm_watch(op.fd, a.value); });
  }
  return -ENOSYS;
}

}  // namespace

void perform(operation& op) noexcept {
  if (sim::machine* const simulated = sim::machine::here()) return simulated->perform(op);
  op.result = call(op);
}

}  // namespace astd::driver
