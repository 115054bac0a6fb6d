// Internal: waiting until a socket has something to say, without a buffer for it.
#pragma once

#include <astd/io/io_awaitable.hpp>
#include <astd/runtime/io_operation.hpp>

namespace astd::net::detail {

/// opcode::readable or opcode::writable. An error of the connection is no failure here: the transfer that follows has it.
class socket_readiness final : public astd::detail::io_awaiter<socket_readiness, void> {
 public:
  struct arguments {
    arguments(driver::opcode readable_or_writable, int fd) noexcept : what(readable_or_writable), descriptor(fd) {}
    driver::opcode what;
    int descriptor;
  };
  explicit socket_readiness(const arguments& a) noexcept : io_awaiter(a.what, a.descriptor) {}
  astd::detail::outcome<void> take();
};

using readiness_awaitable = io::detail::io_awaitable<socket_readiness>;

}  // namespace astd::net::detail
