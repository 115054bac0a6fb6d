#include <astd/coro/or_return.hpp>
#include <astd/driver/attempt.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/wakeup.hpp>
#include <astd/io/error.hpp>
#include <astd/io/io_awaitable.hpp>
#include <astd/io/kernel_copy.hpp>
#include <astd/runtime/io_operation.hpp>
#include <astd/runtime/perform_now.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace astd::io::detail {
namespace {

using driver::opcode;

// docs/design/io.md has the measurements.
constexpr std::size_t pipe_size = 1024 * 1024;
constexpr std::size_t file_piece = 256 * 1024;        // of a file that is sent
constexpr std::size_t range_piece = 4 * 1024 * 1024;  // of a file that is copied to another
constexpr int few_bytes = 8 * 1024;  // messages, not a flood: the buffer is as good, and takes no pipe

// One operation, whose result it gives, errors too.
class kernel_call final : public astd::detail::io_awaiter<kernel_call, int> {
 public:
  struct arguments {
    arguments(opcode code, int fd, const driver::operation::arguments& operands) noexcept
        : what(code), descriptor(fd), with(operands) {}
    opcode what;
    int descriptor;
    driver::operation::arguments with;
  };
  explicit kernel_call(const arguments& a) noexcept : io_awaiter(a.what, a.descriptor) { args = a.with; }
  astd::detail::outcome<int> take() {
    resumed();
    astd::detail::outcome<int> given;
    given.set_value(result());
    return given;
  }
};

auto splice(opcode what, int descriptor, int other, std::size_t size, bool no_wait) noexcept {
  driver::operation::arguments with;
  with.splice = {other, size, no_wait};
  return io_awaitable<kernel_call>(what, descriptor, with);
}

// The kernel, or what stands between us and it, does not do this with such ends. Nothing was moved.
bool cannot(int error) noexcept {
  return error == EINVAL || error == EOPNOTSUPP || error == ENOSYS || error == EPERM || error == EXDEV;
}

// --- Pipes -----------------------------------------------------------------------------------------------------

struct pipe_ends {
  int out = -1, in = -1;
  void close() const noexcept {
    ::close(out);
    ::close(in);
  }
};

// A few empty pipes of this thread. No driver knows them: nobody waits for a pipe here.
class spare_pipes {
 public:
  ~spare_pipes() {
    while (count_ > 0) spare_[--count_].close();
  }
  bool take(pipe_ends& to) noexcept {
    if (count_ > 0) {
      to = spare_[--count_];
      return true;
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
    for (int& end : ends) end = driver::above_standard(end);
    if (ends[0] < 0 || ends[1] < 0) {
      for (const int end : ends)
        if (end >= 0) ::close(end);
      return false;
    }
    // Refused, it has the size that it has.
    ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(pipe_size));
    to = {ends[0], ends[1]};
    return true;
  }
  void give(const pipe_ends& p) noexcept {
    if (count_ < most)
      spare_[count_++] = p;
    else
      p.close();
  }

 private:
  static constexpr unsigned most = 4;
  pipe_ends spare_[most];
  unsigned count_ = 0;
};

// Out of line: a coroutine goes from thread to thread.
[[gnu::noinline]] spare_pipes& spares() noexcept {
  static thread_local spare_pipes of_this_thread;
  return of_this_thread;
}

// The pipe between two sockets and what is in it. Destroyed with something in it (cancelled, or because the writer
// failed) it makes one more attempt, which does not wait.
class kernel_pipe {
 public:
  kernel_pipe(int to, std::uint64_t& copied) noexcept : to_(to), copied_(copied) {}
  kernel_pipe(const kernel_pipe&) = delete;
  kernel_pipe& operator=(const kernel_pipe&) = delete;
  ~kernel_pipe() {
    while (held_ > 0) {
      driver::operation op;
      op.code = opcode::splice_out;
      op.fd = to_;
      op.args.splice = {ends_.out, held_, true};
      astd::detail::perform_now(op);
      if (op.result <= 0) break;
      wrote(op.result);
    }
    rest();
  }
  bool take() noexcept { return ends_.in >= 0 || spares().take(ends_); }
  /// Nothing is under way: others may have it.
  void rest() noexcept {
    if (ends_.in < 0) return;
    if (held_ == 0)
      spares().give(ends_);
    else
      ends_.close();
    ends_ = {};
  }
  void holds(int bytes) noexcept { held_ = static_cast<std::size_t>(bytes); }
  void wrote(int bytes) noexcept {
    held_ -= static_cast<std::size_t>(bytes);
    copied_ += static_cast<std::uint64_t>(bytes);
  }
  [[nodiscard]] std::size_t held() const noexcept { return held_; }
  [[nodiscard]] int out() const noexcept { return ends_.out; }
  [[nodiscard]] int in() const noexcept { return ends_.in; }

 private:
  int to_;
  std::uint64_t& copied_;
  std::size_t held_ = 0;
  pipe_ends ends_;
};

task<bool> splice_between(kernel_end from, kernel_end to, std::uint64_t& copied, bool& useless) {
  kernel_pipe between(to.descriptor, copied);
  for (;;) {
    if (!between.take()) co_return false;  // no descriptors left
    const int got = co_await splice(opcode::splice_in, from.descriptor, between.in(), pipe_size, true);
    if (got == -EAGAIN) {
      between.rest();
      const int ready = co_await splice(opcode::readable, from.descriptor, -1, 0, false);
      if (ready < 0) co_await fail(from.fails(-ready, "read"));
      continue;
    }
    if (got == 0) co_return true;
    if (got < 0) {
      useless = cannot(-got);
      if (useless) co_return false;
      co_await fail(from.fails(-got, "read"));
    }
    between.holds(got);
    while (between.held() > 0) {
      const int n = co_await splice(opcode::splice_out, to.descriptor, between.out(), between.held(), false);
      if (n < 0) co_await fail(to.fails(-n, "write"));
      if (n == 0) co_await fail(make_error_code(errc::nothing_written));
      between.wrote(n);
    }
    if (got < few_bytes) co_return false;
  }
}

// --- Files -----------------------------------------------------------------------------------------------------

// What a regular file has behind its position; else 0.
std::uint64_t left_in(int file, std::int64_t& position) noexcept {
  struct ::stat status;
  position = ::lseek(file, 0, SEEK_CUR);
  if (position < 0 || ::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return 0;
  return status.st_size > position ? static_cast<std::uint64_t>(status.st_size - position) : 0;
}

bool byte_in_memory(int file, std::int64_t at) noexcept {
  std::byte byte;
  driver::operation op;
  op.code = opcode::read;
  op.fd = file;
  op.args.transfer = {&byte, 1, 0, at};
  return driver::attempt_file(op) == 1;
}

task<bool> send_file(kernel_end from, kernel_end to, std::uint64_t& copied, mutable_bytes scratch, bool& useless) {
  for (;;) {
    std::int64_t at = 0;
    const std::size_t piece = std::min<std::uint64_t>(left_in(from.descriptor, at), file_piece);
    if (piece == 0) co_return false;  // the buffer sees the end, or what has been appended
    if (!byte_in_memory(from.descriptor, at) ||
        !byte_in_memory(from.descriptor, at + static_cast<std::int64_t>(piece) - 1)) {
      // The disk is waited for here, where nobody is kept from working; then it is in memory.
      for (std::size_t seen = 0; seen < piece;) {
        driver::operation::arguments with;
        with.transfer = {scratch.data(), std::min(scratch.size(), piece - seen), 0,
                         at + static_cast<std::int64_t>(seen)};
        const int n = co_await io_awaitable<kernel_call>(opcode::read, from.descriptor, with);
        if (n < 0) co_await fail(from.fails(-n, "read"));
        if (n == 0) break;
        seen += static_cast<std::size_t>(n);
      }
    }
    const int n = co_await splice(opcode::sendfile, to.descriptor, from.descriptor, piece, false);
    if (n == 0) co_return false;
    if (n < 0) {
      useless = cannot(-n);
      if (useless) co_return false;
      // Not in one expression with `?`: GCC 12 makes both failures, and destroys the chosen one twice.
      if (n == -EIO) co_await fail(from.fails(EIO, "read"));
      co_await fail(to.fails(-n, "write"));
    }
    copied += static_cast<std::uint64_t>(n);
  }
}

// Whatever ends it: the buffer meets the end, or the error, and says what it was.
task<bool> copy_range(kernel_end from, kernel_end to, std::uint64_t& copied, bool& useless) {
  useless = true;
  for (;;) {
    std::int64_t in = 0;
    if (left_in(from.descriptor, in) == 0) co_return false;
    const std::int64_t out = ::lseek(to.descriptor, 0, SEEK_CUR);
    if (out < 0) co_return false;
    driver::operation::arguments with;
    with.copy = {from.descriptor, in, out, range_piece};
    const int n = co_await io_awaitable<kernel_call>(opcode::copy_file_range, to.descriptor, with);
    if (n <= 0) co_return false;
    ::lseek(from.descriptor, in + n, SEEK_SET);
    ::lseek(to.descriptor, out + n, SEEK_SET);
    copied += static_cast<std::uint64_t>(n);
  }
}

}  // namespace

task<bool> copy_in_kernel(kernel_end from, kernel_end to, std::uint64_t& copied, mutable_bytes scratch,
                          bool& useless) {
  bool ended = false;
  if (driver::sim::machine::here()) {
    useless = true;
  } else if (to.kind == kernel_kind::stream_socket) {
    if (from.kind == kernel_kind::stream_socket)
      ended = co_await or_return(splice_between(from, to, copied, useless));
    else
      ended = co_await or_return(send_file(from, to, copied, scratch, useless));
  } else if (from.kind == kernel_kind::file) {
    ended = co_await or_return(copy_range(from, to, copied, useless));
  } else {
    useless = true;  // into a file every way copies
  }
  co_return ended;
}

}  // namespace astd::io::detail
