// Internal: reading, writing and awaiting descriptors that are not sockets.
#pragma once

#include <astd/io/buffer.hpp>
#include <astd/io/io_awaitable.hpp>
#include <astd/runtime/io_operation.hpp>

namespace astd::io::detail {

/// "read standard input", or, if it has no name, "read descriptor 7".
[[nodiscard]] failure descriptor_failure(std::error_code error, const char* action, const char* subject,
                                         int descriptor) noexcept;

/// read or write at the descriptor's own position. An empty buffer is done without a system call.
class descriptor_transfer final : public astd::detail::io_awaiter<descriptor_transfer, std::size_t> {
 public:
  struct arguments {
    arguments(driver::opcode read_or_write, int fd, const void* bytes, std::size_t count, const char* name) noexcept
        : what(read_or_write), descriptor(fd), data(const_cast<void*>(bytes)), size(count), subject(name) {}
    driver::opcode what;
    int descriptor;
    void* data;
    std::size_t size;
    const char* subject;  // whom an error names; lives as long as the descriptor; null: it says "descriptor 7"
  };

  explicit descriptor_transfer(const arguments& a) noexcept
      : io_awaiter(a.what, a.descriptor), subject_(a.subject) {
    args.transfer = {a.data, a.size, 0, -1};
  }
  bool await_ready() const noexcept { return args.transfer.size == 0; }
  astd::detail::outcome<std::size_t> take() {
    resumed();
    if (failed()) [[unlikely]]
      return descriptor_failure(error(), code == driver::opcode::read ? "read" : "write", subject_, fd);
    astd::detail::outcome<std::size_t> bytes;
    bytes.set_value(static_cast<std::size_t>(result()));
    return bytes;
  }

 private:
  const char* subject_;
};

/// poll: gives the events that hold.
class descriptor_poll final : public astd::detail::io_awaiter<descriptor_poll, int> {
 public:
  struct arguments {
    arguments(int fd, int wanted, const char* name) noexcept : descriptor(fd), events(wanted), subject(name) {}
    int descriptor;
    int events;
    const char* subject;
  };

  explicit descriptor_poll(const arguments& a) noexcept
      : io_awaiter(driver::opcode::poll, a.descriptor), subject_(a.subject) {
    args.value = a.events;
  }
  astd::detail::outcome<int> take() {
    resumed();
    if (failed()) return descriptor_failure(error(), "poll", subject_, fd);
    astd::detail::outcome<int> events;
    events.set_value(result());
    return events;
  }

 private:
  const char* subject_;
};

inline auto read_from(int descriptor, mutable_bytes to, const char* subject) noexcept {
  return io_awaitable<descriptor_transfer>(driver::opcode::read, descriptor, to.data(), to.size(), subject);
}
inline auto write_to(int descriptor, const_bytes from, const char* subject) noexcept {
  return io_awaitable<descriptor_transfer>(driver::opcode::write, descriptor, from.data(), from.size(), subject);
}
inline auto poll(int descriptor, int events, const char* subject) noexcept {
  return io_awaitable<descriptor_poll>(descriptor, events, subject);
}

}  // namespace astd::io::detail
