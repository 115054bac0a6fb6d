#include <astd/coro/or_return.hpp>
#include <astd/coro/shield.hpp>
#include <astd/driver/driver.hpp>
#include <astd/fs/file.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/perform_now.hpp>

#include <new>

#include <fcntl.h>
#include <sys/stat.h>

namespace astd::fs {
namespace {

using astd::detail::outcome;

class open_awaiter final : public astd::detail::io_awaiter<open_awaiter, int> {
 public:
  struct arguments {
    arguments(const char* path, int how) noexcept : name(path), flags(how) {}
    const char* name;
    int flags;
  };
  explicit open_awaiter(const arguments& a) noexcept : io_awaiter(driver::opcode::openat, AT_FDCWD) {
    args.path = {a.name, a.flags, 0666};
    operation::result = -1;  // no descriptor
  }
  ~open_awaiter() {
    if (operation::result >= 0) detail::file_handle({}, operation::result, true);
  }
  outcome<int> take() {
    resumed();
    if (failed()) return failed_with("open", args.path.path);
    outcome<int> descriptor;
    descriptor.set_value(std::exchange(operation::result, -1));
    return descriptor;
  }
};

class close_awaiter final : public astd::detail::io_awaiter<close_awaiter, void> {
 public:
  struct arguments {
    arguments(int fd, bool blocks, const char* path) noexcept : descriptor(fd), may_block(blocks), name(path) {}
    int descriptor;
    bool may_block;
    const char* name;
  };
  explicit close_awaiter(const arguments& a) noexcept
      : io_awaiter(driver::opcode::close, a.descriptor), name_(a.name) {
    args.value = a.may_block;
  }
  outcome<void> take() {
    resumed();
    if (failed()) return failed_with("close", name_);
    outcome<void> done;
    done.set_value();
    return done;
  }

 private:
  const char* name_;
};

class size_awaiter final : public astd::detail::io_awaiter<size_awaiter, std::size_t> {
 public:
  struct arguments {
    arguments(int fd, const char* path) noexcept : descriptor(fd), name(path) {}
    int descriptor;
    const char* name;
  };
  explicit size_awaiter(const arguments& a) noexcept
      : io_awaiter(driver::opcode::statx, a.descriptor), name_(a.name) {
    args.stat = {"", AT_EMPTY_PATH, STATX_SIZE, &found_};
  }
  outcome<std::size_t> take() {
    resumed();
    if (failed()) return failed_with("stat", name_);
    outcome<std::size_t> size;
    size.set_value(static_cast<std::size_t>(found_.stx_size));
    return size;
  }

 private:
  const char* name_;
  struct ::statx found_{};
};

class sync_awaiter final : public astd::detail::io_awaiter<sync_awaiter, void> {
 public:
  struct arguments {
    arguments(int fd, bool only_data, const char* path) noexcept
        : descriptor(fd), data_only(only_data), name(path) {}
    int descriptor;
    bool data_only;
    const char* name;
  };
  explicit sync_awaiter(const arguments& a) noexcept
      : io_awaiter(driver::opcode::fsync, a.descriptor), name_(a.name) {
    args.value = a.data_only;
  }
  outcome<void> take() {
    resumed();
    if (failed()) return failed_with("sync", name_);
    outcome<void> done;
    done.set_value();
    return done;
  }

 private:
  const char* name_;
};

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
  co_await or_return(shield(io::detail::io_awaitable<close_awaiter>(descriptor, writes_, path_.c_str())));
}

task<> file_handle::sync(bool data_only) {
  co_await or_return(io::detail::io_awaitable<sync_awaiter>(descriptor_, data_only, path_.c_str()));
}

task<std::size_t> size_hint(const file_handle& file) {
  const std::size_t size =
      co_await or_return(io::detail::io_awaitable<size_awaiter>(file.descriptor(), file.name().c_str()));
  co_return size;
}

}  // namespace detail

task<file> file::open(path name) {
  const int descriptor = co_await or_return(io::detail::io_awaitable<open_awaiter>(name.c_str(), O_RDONLY));
  co_return file(detail::file_handle(std::move(name), descriptor, false));
}

task<file> file::create(path name) {
  const int descriptor =
      co_await or_return(io::detail::io_awaitable<open_awaiter>(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC));
  co_return file(detail::file_handle(std::move(name), descriptor, true));
}

io::detail::io_awaitable<io::detail::descriptor_transfer> file::read(io::mutable_bytes buffer) noexcept {
  return io::detail::read_from(handle_.descriptor(), buffer, handle_.name().c_str());
}

io::detail::io_awaitable<io::detail::descriptor_transfer> file::write(io::const_bytes buffer) noexcept {
  return io::detail::write_to(handle_.descriptor(), buffer, handle_.name().c_str());
}

}  // namespace astd::fs
