// For the tests of this floor.
#pragma once

#include <astd/coro/awaitable.hpp>
#include <astd/coro/task.hpp>
#include <astd/driver/driver.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace astd::test {

/// What a failing operation says of itself.
template <class A>
task<std::string> error_of(A aw) {
  try {
    static_cast<void>(co_await static_cast<A&&>(aw));
  } catch (const std::system_error& error) {
    co_return error.what();
  }
  co_return "no error";
}

/// How many descriptors this process has open whose target begins so: "socket:", a path. Others may come and go: what an
/// earlier test left to be closed in the background.
inline std::size_t open_descriptors(std::string_view target) {
  std::size_t n = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the directory's own, or just closed
    n += std::filesystem::read_symlink(entry.path(), gone).native().starts_with(target);
  }
  return n;
}

/// Replaces a standard descriptor for its lifetime. Nothing may be expected meanwhile: failures are printed there.
class redirected {
 public:
  redirected(int standard, int to) : standard_(standard), before_(::fcntl(standard, F_DUPFD_CLOEXEC, 10)) {
    put(to);
  }
  ~redirected() {
    put(before_);
    ::close(before_);
  }
  redirected(const redirected&) = delete;
  redirected& operator=(const redirected&) = delete;

 private:
  void put(int descriptor) const {
    ::dup2(descriptor, standard_);
    driver::adopt(standard_);
  }
  int standard_;
  int before_;
};

/// Both ends close with it, unless they were closed before.
struct pipe_ends {
  pipe_ends() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::system_category(), "pipe");
    read_end = ends[0];
    write_end = ends[1];
  }
  ~pipe_ends() {
    close_read();
    close_write();
  }
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;
  void close_read() {
    if (read_end >= 0) ::close(read_end);
    read_end = -1;
  }
  void close_write() {
    if (write_end >= 0) ::close(write_end);
    write_end = -1;
  }
  void say(std::string_view text) const {
    if (::write(write_end, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      throw std::system_error(errno, std::system_category(), "write to a pipe");
  }
  int read_end = -1;
  int write_end = -1;
};

}  // namespace astd::test
