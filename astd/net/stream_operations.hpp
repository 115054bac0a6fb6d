// Internal: what can be done with a connected stream socket, of whatever family, and with the halves of one. They are
// the members of the public types: see astd/io/concepts.hpp for the contract.
#pragma once

#include <astd/io/buffer.hpp>
#include <astd/io/kernel_end.hpp>
#include <astd/io/poll_result.hpp>
#include <astd/net/socket_readiness.hpp>
#include <astd/net/socket_transfer.hpp>

#include <cstddef>
#include <span>

namespace astd::net {

/// Which direction of a connection to end.
enum class shutdown_how : unsigned char {
  read,   // later reads give 0
  write,  // the peer reads to the end of what was written and then sees the end
  both,
};

namespace detail {

class shutdown_awaiter final : public astd::detail::io_awaiter<shutdown_awaiter, void> {
 public:
  struct arguments {
    arguments(int fd, int direction) noexcept : descriptor(fd), how(direction) {}
    int descriptor;
    int how;
  };
  explicit shutdown_awaiter(const arguments& a) noexcept : io_awaiter(driver::opcode::shutdown, a.descriptor) {
    args.value = a.how;
  }
  astd::detail::outcome<void> take();
};

using shutdown_awaitable = io::detail::io_awaitable<shutdown_awaiter>;

/// `Stream` has a member descriptor(), for us alone.
template <class Stream>
class stream_source {
 public:
  /// Reads what there is, at most buffer.size() bytes; waits if there is nothing yet. Gives the number of bytes, 0 only
  /// at the end of the stream (or for an empty buffer, without a system call). Allocates nothing. `buffer` stays until
  /// the await is over; if that is cancelled nothing has been taken from the stream.
  [[nodiscard]] transfer_awaitable read(io::mutable_bytes buffer) noexcept {
    return transfer_awaitable(driver::opcode::recv, fd(), buffer.data(), buffer.size(), true);
  }
  /// The same without waiting. Reads what has come before the call, also while another task waits in read().
  [[nodiscard]] io::poll_result<std::size_t> try_read(io::mutable_bytes buffer) noexcept {
    return try_receive(fd(), buffer, true);
  }

  /// As read(), into the first of `buffers`, then the second, and so on; the first 16 that are not empty. The span, too,
  /// stays until the await is over.
  [[nodiscard]] vectored_awaitable read_vectored(std::span<const io::mutable_bytes> buffers) noexcept {
    return vectored_awaitable(fd(), buffers);
  }
  [[nodiscard]] io::poll_result<std::size_t> try_read_vectored(
      std::span<const io::mutable_bytes> buffers) noexcept {
    buffer_list list(buffers);
    return try_vectored(driver::opcode::recvmsg, fd(), list);
  }

  /// As read(), but leaves the bytes for the next read() or peek().
  [[nodiscard]] transfer_awaitable peek(io::mutable_bytes buffer) noexcept {
    return transfer_awaitable(driver::opcode::recv, fd(), buffer.data(), buffer.size(), true, peek_flag);
  }
  [[nodiscard]] io::poll_result<std::size_t> try_peek(io::mutable_bytes buffer) noexcept {
    return try_receive(fd(), buffer, true, peek_flag);
  }

  /// Waits until read() would not have to wait: there are bytes, the end, or an error, which read() then gives. For
  /// connections that are silent most of the time: they need no buffer until something is there (see docs/modules/net.md).
  /// If several tasks read, another one may be quicker. Allocates nothing. Cancelling it leaves no trace.
  [[nodiscard]] readiness_awaitable readable() noexcept {
    return readiness_awaitable(driver::opcode::readable, fd());
  }

  /// For io::copy().
  [[nodiscard]] io::detail::kernel_end_of<Stream> kernel_source() const noexcept {
    return {{fd(), io::detail::kernel_kind::stream_socket, nullptr, &socket_failure}};
  }

 private:
  [[nodiscard]] int fd() const noexcept { return static_cast<const Stream&>(*this).descriptor(); }
};

template <class Stream>
class stream_sink {
 public:
  /// Writes as much as there is room for, at least one byte, and gives the number; io::write_all() writes everything.
  /// Allocates nothing. `buffer` stays until the await is over; if that is cancelled nothing has been written. Writing to
  /// a peer that is gone fails with std::errc::broken_pipe or connection_reset, never with a signal.
  [[nodiscard]] transfer_awaitable write(io::const_bytes buffer) noexcept {
    return transfer_awaitable(driver::opcode::send, fd(), buffer.data(), buffer.size(), true);
  }
  /// The same without waiting.
  [[nodiscard]] io::poll_result<std::size_t> try_write(io::const_bytes buffer) noexcept {
    return detail::try_send(fd(), buffer, true);
  }

  /// As write(), of the buffers one behind the other; the first 16 that are not empty. The span, too, stays until the
  /// await is over.
  [[nodiscard]] vectored_awaitable write_vectored(std::span<const io::const_bytes> buffers) noexcept {
    return vectored_awaitable(fd(), buffers);
  }
  [[nodiscard]] io::poll_result<std::size_t> try_write_vectored(std::span<const io::const_bytes> buffers) noexcept {
    buffer_list list(buffers);
    return try_vectored(driver::opcode::sendmsg, fd(), list);
  }

  /// Waits until write() would not have to wait: there is room, or an error.
  [[nodiscard]] readiness_awaitable writable() noexcept {
    return readiness_awaitable(driver::opcode::writable, fd());
  }

  /// For io::copy().
  [[nodiscard]] io::detail::kernel_end_of<Stream> kernel_sink() const noexcept {
    return {{fd(), io::detail::kernel_kind::stream_socket, nullptr, &socket_failure}};
  }

  /// The peer reads to the end of what was written and then sees the end; reading goes on. Fails with
  /// std::errc::not_connected if the connection is broken.
  [[nodiscard]] shutdown_awaitable shutdown_write() noexcept {
    return shutdown_awaitable(fd(), static_cast<int>(shutdown_how::write));
  }

 private:
  [[nodiscard]] int fd() const noexcept { return static_cast<const Stream&>(*this).descriptor(); }
};

}  // namespace detail
}  // namespace astd::net
