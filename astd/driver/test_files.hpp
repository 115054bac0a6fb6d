// For tests of file operations: each as one call of a test_loop.
#pragma once

#include <astd/driver/test_loop.hpp>

#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

namespace astd::driver::testing {

/// Negative results are errnos. Paths that are not absolute begin in `directory`.
struct file_calls {
  test_loop& loop;
  int directory = AT_FDCWD;

  int open(const char* path, int flags, unsigned mode = 0644) {
    test_operation op(opcode::openat, directory);
    op.args.path = {path, flags, mode};
    return loop.run(op);
  }
  int close(int fd) {
    test_operation op(opcode::close, fd);
    op.args.value = 1;
    return loop.run(op);
  }
  int write(int fd, std::string_view text, std::int64_t offset = -1) {
    return loop.run(transferring(opcode::write, fd, text.data(), text.size(), offset));
  }
  int read(int fd, void* to, std::size_t size, std::int64_t offset = -1) {
    return loop.run(transferring(opcode::read, fd, to, size, offset));
  }
  /// What one read gives, or "errno 9".
  std::string read(int fd, std::size_t size, std::int64_t offset = -1) {
    std::string result(size, '?');
    const int n = read(fd, result.data(), size, offset);
    if (n < 0) return "errno " + std::to_string(-n);
    result.resize(static_cast<std::size_t>(n));
    return result;
  }
  int sync(int fd, bool data_only = false) {
    test_operation op(opcode::fsync, fd);
    op.args.value = data_only;
    return loop.run(op);
  }
  int truncate(int fd, std::int64_t size) {
    test_operation op(opcode::ftruncate, fd);
    op.args.transfer = {nullptr, 0, 0, size};
    return loop.run(op);
  }
  int stat(const char* path, struct ::statx& result, int flags = 0) {
    return stat_at(directory, path, result, flags);
  }
  int stat_at(int fd, const char* path, struct ::statx& result, int flags) {
    test_operation op(opcode::statx, fd);
    op.args.stat = {path, flags, STATX_BASIC_STATS | STATX_BTIME, &result};
    return loop.run(op);
  }
  /// Of an open file.
  struct ::statx stat(int fd) {
    struct ::statx result{};
    EXPECT_EQ(stat_at(fd, "", result, AT_EMPTY_PATH), 0);
    return result;
  }
  int rename(const char* from, const char* to, unsigned flags = 0) {
    test_operation op(opcode::renameat, directory);
    op.args.two_paths = {from, to, directory, flags};
    return loop.run(op);
  }
  int unlink(const char* path, int flags = 0) {
    test_operation op(opcode::unlinkat, directory);
    op.args.path = {path, flags, 0};
    return loop.run(op);
  }
  int remove_directory(const char* path) { return unlink(path, AT_REMOVEDIR); }
  int make_directory(const char* path, unsigned mode = 0755) {
    test_operation op(opcode::mkdirat, directory);
    op.args.path = {path, 0, mode};
    return loop.run(op);
  }
  /// A new file with this in it, not synced; its descriptor.
  int make(const char* path, std::string_view text) {
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC);
    EXPECT_GE(fd, 0) << path;
    if (!text.empty()) {
      EXPECT_EQ(write(fd, text, 0), static_cast<int>(text.size()));
    }
    return fd;
  }
};

}  // namespace astd::driver::testing
