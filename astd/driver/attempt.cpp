#include <astd/driver/attempt.hpp>
#include <astd/driver/generation.hpp>
#include <astd/driver/sigpipe_guard.hpp>

#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100
#endif

namespace astd::driver {

namespace {

constexpr std::size_t most_bytes = 0x7ffff000;  // what the kernel transfers at once

std::size_t clamped(std::size_t size) noexcept { return size < most_bytes ? size : most_bytes; }

// `call` until it is not interrupted: its result, a negated errno, or not_yet.
template <class Call>
std::int32_t once(Call call) noexcept {
  for (;;) {
    auto result = call();
    if (result >= 0) return static_cast<std::int32_t>(result);
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return not_yet;
    return -errno;
  }
}

// The same for a call that writes to a socket and takes no MSG_NOSIGNAL.
template <class Call>
std::int32_t without_signal(Call call) noexcept {
  sigpipe_guard guard;
  const std::int32_t result = once(call);
  if (result == -EPIPE) guard.consume();
  return result;
}

std::int32_t accept_one(int fd) noexcept {
  for (;;) {
    int peer = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (peer >= 0) {
      new_generation(peer);
      return peer;
    }
    // A connection that was reset in the queue is nobody's: the next may be alive.
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
    return errno == EAGAIN ? not_yet : -errno;
  }
}

// Those of `events` that hold, or not_yet.
std::int32_t poll_once(int fd, int events) noexcept {
  // poll() passes over negative descriptors.
  if (fd < 0) return -EBADF;
  pollfd p{fd, static_cast<short>(events), 0};
  std::int32_t result = once([&] { return ::poll(&p, 1, 0); });
  if (result < 0) return result;
  if (p.revents & POLLNVAL) return -EBADF;
  return p.revents ? p.revents : not_yet;
}

std::int32_t connect_once(operation& op, bool again) noexcept {
  if (::connect(op.fd, op.args.address.address, *op.args.address.length) == 0) return 0;
  // An interrupted connect goes on, as one that would block does.
  if (errno == EINPROGRESS || errno == EINTR || (again && errno == EALREADY)) return not_yet;
  if (again && errno == EISCONN) return 0;
  return -errno;
}

// The transfer as a vector, whichever form it has.
class vector_view {
 public:
  explicit vector_view(const operation& op) noexcept {
    if (op.code == opcode::readv || op.code == opcode::writev) {
      vectors = op.args.vectors.vectors;
      count = static_cast<int>(op.args.vectors.count < IOV_MAX ? op.args.vectors.count : IOV_MAX);
      offset = op.args.vectors.offset;
    } else {
      single_ = {op.args.transfer.data, clamped(op.args.transfer.size)};
      vectors = &single_;
      count = 1;
      offset = op.args.transfer.offset;
    }
  }
  vector_view(const vector_view&) = delete;
  vector_view& operator=(const vector_view&) = delete;

  // Leaves the first `most` bytes at most.
  void shorten(std::size_t most) noexcept {
    if (count == 0) return;
    int i = 0;
    while (i + 1 < count && vectors[i].iov_len == 0) ++i;
    single_ = vectors[i];
    if (single_.iov_len > most) single_.iov_len = most;
    vectors = &single_;
    count = 1;
  }

  const iovec* vectors;
  int count;
  off_t offset;

 private:
  iovec single_{};
};

ssize_t transfer(const operation& op, const vector_view& what, int flags) noexcept {
  // An offset of -1 stands for the descriptor's own position here, too.
  return is_input(op.code) ? ::preadv2(op.fd, what.vectors, what.count, what.offset, flags)
                           : ::pwritev2(op.fd, what.vectors, what.count, what.offset, flags);
}

// "The descriptor, or the kernel, cannot be asked not to wait."
constexpr std::int32_t unsupported = INT32_MIN + 1;

std::int32_t transfer_without_waiting(const operation& op, const vector_view& what) noexcept {
  int flags = RWF_NOWAIT;
  if (!is_input(op.code)) {
    // A file cannot raise SIGPIPE; what has its own position may be a pipe.
    if (!no_signal_flag() && at_own_position(op)) return unsupported;
    flags |= no_signal_flag();
  }
  std::int32_t result = once([&] { return transfer(op, what, flags); });
  return result == -EOPNOTSUPP || result == -ENOSYS ? unsupported : result;
}

// Waits if the descriptor is in blocking mode. Never raises SIGPIPE.
std::int32_t transfer_plainly(const operation& op, const vector_view& what) noexcept {
  if (is_input(op.code) || !at_own_position(op)) return once([&] { return transfer(op, what, 0); });
  if (const int flag = no_signal_flag()) {
    std::int32_t result = once([&] { return transfer(op, what, flag); });
    if (result != -EOPNOTSUPP) return result;
    // A descriptor that takes no flags: neither a pipe nor a socket, and nothing else raises the signal.
    return once([&] { return transfer(op, what, 0); });
  }
  sigpipe_guard guard;
  std::int32_t result = once([&] { return transfer(op, what, 0); });
  if (result == -EPIPE) guard.consume();
  return result;
}

}  // namespace

nature nature_of(opcode code) noexcept {
  switch (code) {
    case opcode::socket:
    case opcode::bind:
    case opcode::listen:
    case opcode::shutdown:
    case opcode::local_name:
    case opcode::peer_name:
    case opcode::set_option:
    case opcode::get_option:
    case opcode::lseek:
    case opcode::dup:
    case opcode::getcwd:
    case opcode::socket_pair:
    case opcode::pipe:
    case opcode::reap_process:
    case opcode::signal_process:
    case opcode::watch_open:
    case opcode::watch_remove: return nature::immediate;
    case opcode::close: return nature::closing;
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
    case opcode::writable: return nature::socket;
    case opcode::read:
    case opcode::write:
    case opcode::readv:
    case opcode::writev: return nature::transfer;
    case opcode::poll: return nature::polling;
    case opcode::openat:
    case opcode::fsync:
    case opcode::ftruncate:
    case opcode::statx:
    case opcode::renameat:
    case opcode::unlinkat:
    case opcode::mkdirat:
    case opcode::linkat:
    case opcode::symlinkat:
    case opcode::fallocate:
    case opcode::fadvise:
    case opcode::readlinkat:
    case opcode::realpath:
    case opcode::read_directory:
    case opcode::fchmodat:
    case opcode::fchownat:
    case opcode::utimensat:
    case opcode::copy_file_range:
    case opcode::ficlone:
    case opcode::copy_file:
    case opcode::batch:
    case opcode::flock:
    case opcode::statvfs:
    case opcode::chdir:
    case opcode::start_process:
    case opcode::watch_add: return nature::blocking;
  }
  return nature::immediate;  // perform() answers -ENOSYS
}

bool is_input(opcode code) noexcept {
  switch (code) {
    case opcode::accept:
    case opcode::accept_many:
    case opcode::recv:
    case opcode::recvmsg:
    case opcode::recvmmsg:
    case opcode::splice_in:
    case opcode::readable:
    case opcode::read:
    case opcode::readv: return true;
    default: return false;
  }
}

bool wants_no_wait(const operation& op) noexcept {
  switch (op.code) {
    case opcode::accept: return op.args.value == 1;
    case opcode::recv:
    case opcode::send: return op.args.transfer.flags & MSG_DONTWAIT;
    case opcode::recvmsg:
    case opcode::sendmsg: return op.args.message.flags & MSG_DONTWAIT;
    case opcode::recvmmsg:
    case opcode::sendmmsg: return op.args.messages.flags & MSG_DONTWAIT;
    case opcode::splice_in:
    case opcode::splice_out:
    case opcode::sendfile: return op.args.splice.no_wait;
    default: return false;
  }
}

std::int32_t attempt_socket(operation& op, bool again) noexcept {
  const auto& t = op.args.transfer;
  const auto& m = op.args.message;
  const auto& ms = op.args.messages;
  const auto& s = op.args.splice;
  const auto flags_of = [](int flags) noexcept { return (flags & ~MSG_WAITALL) | MSG_DONTWAIT; };
  std::int32_t result = -ENOSYS;
  switch (op.code) {
    case opcode::accept: result = accept_one(op.fd); break;
    case opcode::accept_many: return accept_one(op.fd);
    case opcode::connect: return connect_once(op, again);
    case opcode::recv:
      result = once([&] { return ::recv(op.fd, t.data, clamped(t.size), flags_of(t.flags)); });
      break;
    case opcode::send:
      result = once([&] { return ::send(op.fd, t.data, clamped(t.size), flags_of(t.flags) | MSG_NOSIGNAL); });
      break;
    case opcode::recvmsg: result = once([&] { return ::recvmsg(op.fd, m.message, flags_of(m.flags)); }); break;
    case opcode::sendmsg:
      result = once([&] { return ::sendmsg(op.fd, m.message, flags_of(m.flags) | MSG_NOSIGNAL); });
      break;
    case opcode::recvmmsg:
      result = once([&] { return ::recvmmsg(op.fd, ms.messages, ms.count, flags_of(ms.flags), nullptr); });
      break;
    case opcode::sendmmsg:
      result = once([&] { return ::sendmmsg(op.fd, ms.messages, ms.count, flags_of(ms.flags) | MSG_NOSIGNAL); });
      break;
    case opcode::splice_in:
      result = once([&] { return ::splice(op.fd, nullptr, s.other, nullptr, clamped(s.size), SPLICE_F_NONBLOCK); });
      break;
    case opcode::splice_out:
      result = without_signal(
          [&] { return ::splice(s.other, nullptr, op.fd, nullptr, clamped(s.size), SPLICE_F_NONBLOCK); });
      break;
    case opcode::sendfile:
      result = without_signal([&] { return ::sendfile(op.fd, s.other, nullptr, clamped(s.size)); });
      break;
    case opcode::readable: return again ? 0 : poll_once(op.fd, POLLIN);
    case opcode::writable: return again ? 0 : poll_once(op.fd, POLLOUT);
    default: break;
  }
  return result == not_yet && wants_no_wait(op) ? -EAGAIN : result;
}

std::int32_t attempt_poll(operation& op) noexcept { return poll_once(op.fd, op.args.value); }

namespace {

// Whether a descriptor goes past the system's cache. The question is a call, so the last answers are kept.
struct direct_answer {
  int fd = -1;
  std::uint32_t generation = 0;
  bool direct = false;
};
direct_answer& answer_for(int fd) noexcept {
  constexpr unsigned kept = 16;
  static thread_local direct_answer answers[kept];
  return answers[static_cast<unsigned>(fd) % kept];
}

bool is_direct(int fd) noexcept {
  direct_answer& a = answer_for(fd);
  const bool tracked = track_generations(fd);
  if (const std::uint32_t generation = generation_of(fd); a.fd != fd || a.generation != generation || !tracked)
    a = {fd, generation, (::fcntl(fd, F_GETFL) & O_DIRECT) != 0};
  return a.direct;
}

}  // namespace

bool is_past_the_cache(const operation& op) noexcept {
  const vector_view what(op);
  // Only whole sectors are.
  constexpr std::size_t sector = 512;
  return what.count > 0 && what.vectors[0].iov_len % sector == 0 &&
         (what.offset < 0 || what.offset % sector == 0) && is_direct(op.fd);
}

void note_opened(int fd, int flags) noexcept {
  if (track_generations(fd)) answer_for(fd) = {fd, generation_of(fd), (flags & O_DIRECT) != 0};
}

std::int32_t attempt_file(operation& op) noexcept {
  const std::int32_t result = transfer_without_waiting(op, vector_view(op));
  return result == unsupported ? not_yet : result;
}

std::int32_t attempt_stream(operation& op) noexcept {
  const bool input = is_input(op.code);
  vector_view what(op);
  if (std::int32_t result = transfer_without_waiting(op, what); result != unsupported) return result;
  const int status = ::fcntl(op.fd, F_GETFL);
  if (status < 0) return -errno;
  if (!(status & O_NONBLOCK)) {
    pollfd p{op.fd, static_cast<short>(input ? POLLIN : POLLOUT), 0};
    if (once([&] { return ::poll(&p, 1, 0); }) <= 0) return not_yet;
    // Room is promised for so much only; a longer write would block until the reader has taken it.
    if (!input) what.shorten(PIPE_BUF);
  }
  return transfer_plainly(op, what);
}

std::int32_t transfer_once(operation& op) noexcept { return transfer_plainly(op, vector_view(op)); }

bool at_own_position(const operation& op) noexcept {
  switch (op.code) {
    case opcode::read:
    case opcode::write: return op.args.transfer.offset < 0;
    case opcode::readv:
    case opcode::writev: return op.args.vectors.offset < 0;
    default: return false;
  }
}

int no_signal_flag() noexcept {
  static const int flag = [] {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return 0;
    char byte = 0;
    iovec vector{&byte, 1};
    const bool known = ::pwritev2(ends[1], &vector, 1, -1, RWF_NOSIGNAL) == 1;
    ::close(ends[0]);
    ::close(ends[1]);
    return known ? RWF_NOSIGNAL : 0;
  }();
  return flag;
}

bool may_raise_sigpipe(int fd) noexcept {
  struct ::stat status;
  if (::fstat(fd, &status) != 0) return false;
  return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode);
}

}  // namespace astd::driver
