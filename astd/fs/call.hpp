// Internal: awaiting one operation of the driver on files and names. Only for the sources of fs.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/driver/operation.hpp>
#include <astd/fs/file.hpp>
#include <astd/io/io_awaitable.hpp>
#include <astd/runtime/io_operation.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

namespace astd::fs::detail {

using astd::detail::outcome;
using driver::opcode;
using operands = driver::operation::arguments;

/// What an error says: "rename a to b". The names live as long as the await. An operation on a name that has a zero byte
/// is not begun, since the system would take the part before it: it fails with std::errc::invalid_argument.
struct deed {
  explicit deed(const char* what) noexcept : action(what) {}
  deed(const char* what, const char* name) noexcept : action(what), subject(name) {}
  deed(const char* what, const std::string& name) noexcept
      : action(what), subject(name), refused(has_zero(subject)) {}
  deed(const char* what, const std::string& name, const std::string& other_name) noexcept
      : action(what), subject(name), other(other_name), refused(has_zero(subject) || has_zero(other)) {}
  deed(const char* what, const path& name) noexcept : deed(what, name.native()) {}
  deed(const char* what, const path& name, const path& other_name) noexcept
      : deed(what, name.native(), other_name.native()) {}
  [[nodiscard]] static bool has_zero(std::string_view name) noexcept {
    return name.find('\0') != std::string_view::npos;
  }
  const char* action;
  std::string_view subject, other;  // their data() is null: there is none
  bool refused = false;
};

[[nodiscard]] failure failure_of(std::error_code code, const deed& of);
[[nodiscard]] inline failure failure_of(std::errc code, const deed& of) {
  return failure_of(std::make_error_code(code), of);
}

/// Any operation; its result.
class call_awaiter final : public astd::detail::io_awaiter<call_awaiter, std::int32_t> {
 public:
  struct arguments {
    arguments(opcode operation, int fd, const operands& others, const deed& whom) noexcept
        : what(operation), descriptor(fd), with(others), of(whom) {}
    opcode what;
    int descriptor;
    operands with;
    deed of;
  };
  explicit call_awaiter(const arguments& a) noexcept : io_awaiter(a.what, a.descriptor), of_(a.of) {
    args = a.with;
  }
  bool await_ready() const noexcept { return of_.refused; }
  outcome<std::int32_t> take() {
    resumed();
    if (of_.refused) return failure_of(std::errc::invalid_argument, of_);
    if (failed()) return failure_of(error(), of_);
    outcome<std::int32_t> value;
    value.set_value(result());
    return value;
  }

 private:
  deed of_;
};
using call = io::detail::io_awaitable<call_awaiter>;

/// openat, dup: a descriptor that is not lost.
class descriptor_awaiter final : public astd::detail::io_awaiter<descriptor_awaiter, int> {
 public:
  struct arguments {
    arguments(int below, const char* path, int how, unsigned mode, const deed& whom) noexcept
        : what(opcode::openat), descriptor(below), of(whom) {
      with.path = {path, how, mode};
    }
    arguments(int duplicated, const deed& whom) noexcept : what(opcode::dup), descriptor(duplicated), of(whom) {}
    opcode what;
    int descriptor;
    operands with;
    deed of;
  };
  explicit descriptor_awaiter(const arguments& a) noexcept : io_awaiter(a.what, a.descriptor), of_(a.of) {
    args = a.with;
    operation::result = -1;  // no descriptor
  }
  ~descriptor_awaiter() {
    if (operation::result >= 0) file_handle({}, operation::result, true);
  }
  bool await_ready() const noexcept { return of_.refused; }
  outcome<int> take() {
    resumed();
    if (of_.refused) return failure_of(std::errc::invalid_argument, of_);
    if (failed()) return failure_of(error(), of_);
    outcome<int> descriptor;
    descriptor.set_value(std::exchange(operation::result, -1));
    return descriptor;
  }

 private:
  deed of_;
};
using opening = io::detail::io_awaitable<descriptor_awaiter>;

/// statx.
class status_awaiter final : public astd::detail::io_awaiter<status_awaiter, struct ::statx> {
 public:
  struct arguments {
    arguments(int below, const char* name, int how, const deed& whom) noexcept
        : descriptor(below), path(name), flags(how), of(whom) {}
    int descriptor;
    const char* path;  // null: the descriptor itself
    int flags;
    deed of;
  };
  explicit status_awaiter(const arguments& a) noexcept : io_awaiter(opcode::statx, a.descriptor), of_(a.of) {
    args.stat = {a.path ? a.path : "", a.flags | (a.path ? 0 : AT_EMPTY_PATH), STATX_BASIC_STATS | STATX_BTIME,
                 &found_};
  }
  bool await_ready() const noexcept { return of_.refused; }
  outcome<struct ::statx> take() {
    resumed();
    if (of_.refused) return failure_of(std::errc::invalid_argument, of_);
    if (failed()) return failure_of(error(), of_);
    outcome<struct ::statx> status;
    status.set_value(found_);
    return status;
  }

 private:
  deed of_;
  struct ::statx found_{};
};
using status_call = io::detail::io_awaitable<status_awaiter>;

/// What of a directory was read; `descriptor`: see driver::directory_arguments.
struct directory_part {
  std::size_t bytes = 0;
  int descriptor = -1;
};
class directory_awaiter final : public astd::detail::io_awaiter<directory_awaiter, directory_part> {
 public:
  struct arguments {
    arguments(int below, const char* name, int how, char* to, std::size_t room, const deed& whom) noexcept
        : descriptor(below), path(name), flags(how), data(to), size(room), of(whom) {}
    int descriptor;
    const char* path;
    int flags;
    char* data;
    std::size_t size;
    deed of;
  };
  explicit directory_awaiter(const arguments& a) noexcept
      : io_awaiter(opcode::read_directory, a.descriptor), of_(a.of) {
    args.directory = {a.path, a.flags, -1, a.data, a.size};
  }
  ~directory_awaiter() {
    if (args.directory.path && args.directory.descriptor >= 0) file_handle({}, args.directory.descriptor, false);
  }
  bool await_ready() const noexcept { return of_.refused; }
  outcome<directory_part> take() {
    resumed();
    if (of_.refused) return failure_of(std::errc::invalid_argument, of_);
    if (failed()) return failure_of(error(), of_);
    outcome<directory_part> part;
    part.set_value(
        directory_part{static_cast<std::size_t>(result()), std::exchange(args.directory.descriptor, -1)});
    return part;
  }

 private:
  deed of_;
};
using directory_reading = io::detail::io_awaitable<directory_awaiter>;

/// The operands of an operation in one expression.
[[nodiscard]] inline operands on_path(const char* path, int flags = 0, unsigned mode = 0) noexcept {
  operands with;
  with.path = {path, flags, mode};
  return with;
}
[[nodiscard]] inline operands on_two(const char* from, int to_directory, const char* to,
                                     unsigned flags = 0) noexcept {
  operands with;
  with.two_paths = {from, to, to_directory, flags};
  return with;
}

[[nodiscard]] file_type type_of(unsigned mode) noexcept;
[[nodiscard]] file_time_type time_of(const statx_timestamp& at) noexcept;
[[nodiscard]] ::timespec timespec_of(file_time_type at) noexcept;
[[nodiscard]] file_metadata metadata_of(const struct ::statx& s) noexcept;

}  // namespace astd::fs::detail
