// Internal: bytes into and out of a socket.
#pragma once

#include <astd/io/buffer.hpp>
#include <astd/io/io_awaitable.hpp>
#include <astd/runtime/io_operation.hpp>

#include <cstddef>

namespace astd::net::detail {

/// recv or send. On a stream an empty buffer is done without a system call; on a datagram socket it is a datagram.
class socket_transfer final : public astd::detail::io_awaiter<socket_transfer, std::size_t> {
 public:
  struct arguments {
    arguments(driver::opcode recv_or_send, int fd, const void* bytes, std::size_t count, bool is_stream) noexcept
        : what(recv_or_send), stream(is_stream), descriptor(fd), data(const_cast<void*>(bytes)), size(count) {}
    driver::opcode what;
    bool stream;
    int descriptor;
    void* data;
    std::size_t size;
  };

  explicit socket_transfer(const arguments& a) noexcept : io_awaiter(a.what, a.descriptor), stream_(a.stream) {
    args.transfer = {a.data, a.size, 0, 0};
  }
  bool await_ready() const noexcept { return stream_ && args.transfer.size == 0; }
  astd::detail::outcome<std::size_t> take() {
    resumed();
    if (failed()) [[unlikely]]
      return refused();
    astd::detail::outcome<std::size_t> bytes;
    bytes.set_value(static_cast<std::size_t>(result()));
    return bytes;
  }

 private:
  failure refused() const;
  bool stream_;
};

using transfer_awaitable = io::detail::io_awaitable<socket_transfer>;

/// "read 192.0.2.1:80": the action and the peer, or our own address where there is no peer.
failure socket_failure(std::error_code error, const char* action, int descriptor) noexcept;

}  // namespace astd::net::detail
