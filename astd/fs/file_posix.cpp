#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/coro/shield.hpp>
#include <astd/driver/driver.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/fs/call.hpp>
#include <astd/fs/file.hpp>
#include <astd/fs/file_maker.hpp>
#include <astd/fs/open_options.hpp>
#include <astd/io/error.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/perform_now.hpp>
#include <astd/runtime/this_task.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>

namespace astd::fs {
namespace {

// A close that may block and that nobody waits for.
struct abandoned_close : astd::detail::job {
  explicit abandoned_close(int descriptor) noexcept : fd(descriptor) { run = &close_and_delete; }
  static void close_now(int descriptor, bool may_block) noexcept {
    driver::operation op;
    op.code = driver::opcode::close;
    op.fd = descriptor;
    op.args.value = may_block;
    if (may_block)
      astd::detail::perform_outside(op);
    else
      astd::detail::perform_now(op);
  }
  static void close_and_delete(astd::detail::job& j) noexcept {
    auto* const self = static_cast<abandoned_close*>(&j);
    close_now(self->fd, true);
    delete self;
  }
  int fd;
};

}  // namespace

namespace detail {

void file_handle::abandon() noexcept {
  const int descriptor = std::exchange(descriptor_, -1);
  // Closing what was only read writes nothing back. A thread that is no worker may block as well as another.
  astd::detail::worker* const here = astd::detail::worker::current();
  if (!writes_ || !here) return abandoned_close::close_now(descriptor, writes_);
  auto* const later = new (std::nothrow) abandoned_close(descriptor);
  if (!later) return abandoned_close::close_now(descriptor, true);
  here->runtime().blocking().submit(*later);
}

task<> file_handle::close() {
  if (descriptor_ < 0) co_return;
  const int descriptor = std::exchange(descriptor_, -1);
  // Shielded: a close that is called off half-way leaves nobody who knows whether the number is still ours.
  operands with;
  with.value = writes_;
  co_await or_return(shield(call(opcode::close, descriptor, with, deed("close", path_))));
}

task<> file_handle::sync(bool data_only) {
  operands with;
  with.value = data_only;
  co_await or_return(call(opcode::fsync, descriptor_, with, deed("sync", path_)));
}

task<std::size_t> size_hint(const file_handle& file) {
  const struct ::statx status =
      co_await or_return(status_call(file.descriptor(), nullptr, 0, deed("stat", file.name())));
  co_return static_cast<std::size_t>(status.stx_size);
}

}  // namespace detail

using detail::call;
using detail::deed;
using detail::opcode;
using detail::opening;
using detail::operands;
using detail::status_call;

// A named pipe is opened without waiting for its other end: a thread in open(2) could not be called back, neither by a
// timeout nor by the end of the program. What is opened waits again, as its owner expects.
task<file> detail::file_maker::open(path name, int flags, unsigned mode, const char* action) {
  const bool writes = (flags & O_ACCMODE) != O_RDONLY;
  const deed whom(action, name);
  // What is new, and directories, make nobody wait; a simulated disk has no pipes.
  const bool asks = !(flags & (O_NONBLOCK | O_EXCL | O_DIRECTORY)) && !driver::sim::machine::here();
  const auto opened =
      co_await as_result(opening(AT_FDCWD, name.c_str(), asks ? flags | O_NONBLOCK : flags, mode, whom));
  if (!opened && !(asks && opened.error() == std::errc::resource_unavailable_try_again))
    co_await fail(failure_of(opened.error(), whom));
  int descriptor = -1;
  if (opened) {
    descriptor = *opened;
    if (asks) ::fcntl(descriptor, F_SETFL, flags);
  } else {
    // Another process has a lease on it, which it has to give back: that does take a while, and it ends.
    descriptor = co_await or_return(opening(AT_FDCWD, name.c_str(), flags, mode, whom));
  }
  co_return made(std::move(name), descriptor, writes);
}

ASTD_CORO_WRAPPER task<file> file::open(path name) {
  return detail::file_maker::open(std::move(name), O_RDONLY, 0);
}
ASTD_CORO_WRAPPER task<file> file::create(path name) {
  return detail::file_maker::open(std::move(name), O_WRONLY | O_CREAT | O_TRUNC, 0666);
}
ASTD_CORO_WRAPPER task<file> file::create_new(path name) {
  return detail::file_maker::open(std::move(name), O_RDWR | O_CREAT | O_EXCL, 0666);
}

io::detail::io_awaitable<io::detail::descriptor_transfer> file::read(io::mutable_bytes buffer) noexcept {
  return io::detail::read_from(handle_.descriptor(), buffer, handle_.name().c_str());
}

io::detail::io_awaitable<io::detail::descriptor_transfer> file::write(io::const_bytes buffer) noexcept {
  return io::detail::write_to(handle_.descriptor(), buffer, handle_.name().c_str());
}

static_assert(sizeof(io::mutable_bytes) == sizeof(iovec) && sizeof(io::const_bytes) == sizeof(iovec));

task<> file::read_exact_at(io::mutable_bytes buffer, std::uint64_t offset) {
  while (!buffer.empty()) {
    const std::size_t n = co_await or_return(read_at(buffer, offset));
    if (n == 0) co_await fail({make_error_code(io::errc::unexpected_end), "read", name()});
    buffer = buffer.drop(n);
    offset += n;
  }
}

task<> file::write_all_at(io::const_bytes buffer, std::uint64_t offset) {
  while (!buffer.empty()) {
    const std::size_t n = co_await or_return(write_at(buffer, offset));
    if (n == 0) co_await fail({make_error_code(io::errc::nothing_written), "write", name()});
    buffer = buffer.drop(n);
    offset += n;
  }
}

namespace {

class seek_awaiter final : public astd::detail::io_awaiter<seek_awaiter, std::uint64_t> {
 public:
  struct arguments {
    arguments(int fd, int from, std::int64_t by, const deed& whom) noexcept
        : descriptor(fd), whence(from), offset(by), of(whom) {}
    int descriptor, whence;
    std::int64_t offset;
    deed of;
  };
  explicit seek_awaiter(const arguments& a) noexcept : io_awaiter(opcode::lseek, a.descriptor), of_(a.of) {
    args.seek = {a.whence, a.offset};
  }
  astd::detail::outcome<std::uint64_t> take() {
    resumed();
    if (failed()) return detail::failure_of(error(), of_);
    astd::detail::outcome<std::uint64_t> now;
    now.set_value(static_cast<std::uint64_t>(args.seek.offset));
    return now;
  }

 private:
  deed of_;
};
using seeking = io::detail::io_awaitable<seek_awaiter>;

}  // namespace

task<std::uint64_t> file::seek(io::seek_from to) {
  int whence = to.from() == io::seek_from::base::start ? SEEK_SET : SEEK_CUR;
  std::int64_t offset = to.offset();
  if (to.from() == io::seek_from::base::end) {
    // Asked for, not left to the seek: a file system far away is asked for the size, and that takes time.
    const struct ::statx status =
        co_await or_return(status_call(handle_.descriptor(), nullptr, 0, deed("seek", handle_.name())));
    whence = SEEK_END;
    if (S_ISREG(status.stx_mode)) {
      whence = SEEK_SET;
      if (__builtin_add_overflow(offset, static_cast<std::int64_t>(status.stx_size), &offset)) offset = -1;
    }
  }
  const std::uint64_t now =
      co_await or_return(seeking(handle_.descriptor(), whence, offset, deed("seek", handle_.name())));
  co_return now;
}

task<> file::rewind() { co_await or_return(seek(io::seek_from::start(0))); }

task<> file::set_len(std::uint64_t size) {
  operands with;
  with.transfer = {nullptr, 0, 0, static_cast<std::int64_t>(size)};
  co_await or_return(call(opcode::ftruncate, handle_.descriptor(), with, deed("resize", handle_.name())));
}

task<file_metadata> file::metadata() {
  const struct ::statx status =
      co_await or_return(status_call(handle_.descriptor(), nullptr, 0, deed("stat", handle_.name())));
  co_return detail::metadata_of(status);
}

task<> file::set_permissions(perms to) {
  co_await or_return(call(opcode::fchmodat, handle_.descriptor(),
                          detail::on_path(nullptr, 0, static_cast<unsigned>(to) & 07777),
                          deed("set permissions of", handle_.name())));
}

task<> file::set_times(std::optional<file_time_type> accessed, std::optional<file_time_type> modified) {
  const timespec as_it_is{0, UTIME_OMIT};
  const timespec times[2] = {accessed ? detail::timespec_of(*accessed) : as_it_is,
                             modified ? detail::timespec_of(*modified) : as_it_is};
  operands with;
  with.times = {nullptr, 0, times};
  co_await or_return(call(opcode::utimensat, handle_.descriptor(), with, deed("set times of", handle_.name())));
}

task<> file::preallocate(std::uint64_t offset, std::uint64_t size, bool keep_size) {
  operands with;
  with.range = {keep_size ? FALLOC_FL_KEEP_SIZE : 0, static_cast<std::int64_t>(offset),
                static_cast<std::int64_t>(size)};
  co_await or_return(call(opcode::fallocate, handle_.descriptor(), with, deed("preallocate", handle_.name())));
}

task<> file::advise(file_advice how, std::uint64_t offset, std::uint64_t size) {
  constexpr int kinds[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                           POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
  operands with;
  with.range = {kinds[static_cast<unsigned>(how)], static_cast<std::int64_t>(offset),
                static_cast<std::int64_t>(size)};
  co_await or_return(call(opcode::fadvise, handle_.descriptor(), with, deed("advise", handle_.name())));
}

// ---- locks

namespace {

// 0, or -EWOULDBLOCK; other errors are failures.
class lock_awaiter final : public astd::detail::io_awaiter<lock_awaiter, bool> {
 public:
  struct arguments {
    arguments(int fd, int operation, const deed& whom) noexcept : descriptor(fd), how(operation), of(whom) {}
    int descriptor, how;
    deed of;
  };
  explicit lock_awaiter(const arguments& a) noexcept : io_awaiter(opcode::flock, a.descriptor), of_(a.of) {
    args.value = a.how;
  }
  astd::detail::outcome<bool> take() {
    resumed();
    if (failed() && result() != -EWOULDBLOCK) return detail::failure_of(error(), of_);
    astd::detail::outcome<bool> locked;
    locked.set_value(!failed());
    return locked;
  }

 private:
  deed of_;
};
using locking = io::detail::io_awaitable<lock_awaiter>;

}  // namespace

task<bool> file::lock_once(int how) {
  const bool locked = co_await or_return(
      locking(handle_.descriptor(), how, deed(how == LOCK_UN ? "unlock" : "lock", handle_.name())));
  co_return locked;
}

task<> file::lock_as(int how) {
  for (std::chrono::milliseconds pause(1);; pause = std::min(2 * pause, std::chrono::milliseconds(50))) {
    const bool locked = co_await or_return(lock_once(how));
    if (locked) co_return;
    co_await this_task::sleep_for(pause);
  }
}

ASTD_CORO_WRAPPER task<> file::lock() { return lock_as(LOCK_EX); }
ASTD_CORO_WRAPPER task<> file::lock_shared() { return lock_as(LOCK_SH); }
ASTD_CORO_WRAPPER task<bool> file::try_lock() { return lock_once(LOCK_EX); }
ASTD_CORO_WRAPPER task<bool> file::try_lock_shared() { return lock_once(LOCK_SH); }
task<> file::unlock() { co_await or_return(lock_once(LOCK_UN)); }

task<file> file::try_clone() {
  path same = handle_.name();
  const int descriptor = co_await or_return(opening(handle_.descriptor(), deed("clone", handle_.name())));
  co_return file(detail::file_handle(std::move(same), descriptor, handle_.writes()));
}

// ---- open_options

int open_options::flags() const noexcept {
  const bool writes = write_ || append_;
  if (!read_ && !writes) return -1;
  if (!writes && (truncate_ || create_ || create_new_)) return -1;
  if (append_ && truncate_ && !create_new_) return -1;
  int flags = writes ? (read_ ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (append_) flags |= O_APPEND;
  if (create_new_)
    flags |= O_CREAT | O_EXCL;
  else
    flags |= (create_ ? O_CREAT : 0) | (truncate_ ? O_TRUNC : 0);
  if (direct_) flags |= O_DIRECT;
  return flags | (custom_ & ~O_ACCMODE);
}

ASTD_CORO_WRAPPER task<file> open_options::open(path name) const {
  const int how = flags();
  if (how < 0) return detail::file_maker::refuse(std::move(name));
  return detail::file_maker::open(std::move(name), how, mode_);
}

task<file> detail::file_maker::refuse(path name) {
  co_await fail({std::make_error_code(std::errc::invalid_argument), "open", name.native()});
  co_return made({}, -1, false);
}

#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN 0x2000U
#endif

task<std::size_t> direct_alignment(file& of) {
  const std::size_t alignment = co_await or_return(detail::file_maker::alignment(of));
  co_return alignment;
}

namespace {

// What statx says of direct I/O stands behind what older headers know of the struct.
constexpr std::size_t memory_alignment_at = 0x98, offset_alignment_at = 0x9c;

class alignment_awaiter final : public astd::detail::io_awaiter<alignment_awaiter, std::size_t> {
 public:
  struct arguments {
    arguments(int fd, const deed& whom) noexcept : descriptor(fd), of(whom) {}
    int descriptor;
    deed of;
  };
  explicit alignment_awaiter(const arguments& a) noexcept : io_awaiter(opcode::statx, a.descriptor), of_(a.of) {
    args.stat = {"", AT_EMPTY_PATH, STATX_DIOALIGN, &found_};
  }
  astd::detail::outcome<std::size_t> take() {
    resumed();
    if (failed()) return detail::failure_of(error(), of_);
    unsigned memory = 4096, offset = 4096;
    if (found_.stx_mask & STATX_DIOALIGN) {
      std::memcpy(&memory, reinterpret_cast<const char*>(&found_) + memory_alignment_at, sizeof memory);
      std::memcpy(&offset, reinterpret_cast<const char*>(&found_) + offset_alignment_at, sizeof offset);
    }
    astd::detail::outcome<std::size_t> larger;
    larger.set_value(std::max(memory, offset));
    return larger;
  }

 private:
  deed of_;
  struct ::statx found_{};
};
using alignment_call = io::detail::io_awaitable<alignment_awaiter>;

}  // namespace

task<std::size_t> detail::file_maker::alignment(file& of) {
  const std::size_t larger =
      co_await or_return(alignment_call(of.handle_.descriptor(), deed("stat", of.handle_.name())));
  co_return larger;
}

void aligned_buffer::deleter::operator()(std::byte* data) const noexcept {
  ::operator delete[](data, std::align_val_t(alignment));
}

aligned_buffer::aligned_buffer(std::size_t size, std::size_t alignment)
    : data_(static_cast<std::byte*>(::operator new[](size, std::align_val_t(alignment))), deleter{alignment}),
      size_(size) {
  std::memset(data_.get(), 0, size);
}

file file::from_native_handle(int handle, path name) {
  driver::adopt(handle);
  // It may be written through: closing it can take long.
  // For messages only: a zero byte would have them be of something else.
  return file(detail::file_handle(path(name.c_str()), handle, true));
}

}  // namespace astd::fs
