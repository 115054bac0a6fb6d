// A TCP connection: bytes in both directions, in order.
//
//   auto stream = co_await net::tcp_stream::connect("example.org:80");
//   co_await io::write_all(stream, "GET / HTTP/1.0\r\n\r\n");
//   std::array<char, 4096> buffer;
//   for (;;) {
//     auto n = co_await stream.read(buffer);
//     if (n == 0) break;                       // the other side has said everything
//     co_await print("{}", std::string_view(buffer.data(), n));
//   }
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/buffer.hpp>
#include <astd/net/endpoint.hpp>
#include <astd/net/socket.hpp>
#include <astd/net/socket_readiness.hpp>
#include <astd/net/socket_transfer.hpp>

namespace astd::net {
namespace detail {

class accept_awaiter;

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

}  // namespace detail

/// Which direction of a connection to end.
enum class shutdown_how : unsigned char {
  read,   // later reads give 0
  write,  // the peer reads to the end of what was written and then sees the end
  both,
};

/// One end of a connection. The destructor closes it: what was written is still delivered, the peer sees the end (or a
/// reset, if we leave bytes unread). It never blocks.
///
/// One task may read while another writes, on any threads. Two reads at the same time take turns in no particular
/// order, as do two writes. Moving it does not disturb an operation in flight; closing it or assigning to it while one
/// is in flight is a programming error.
class tcp_stream {
 public:
  /// Connects to the first of the addresses of `where` that accepts. Names are looked up as lookup_host() does. Fails as
  /// that does, or with the last address's error, which names it: "connect 192.0.2.1:80: Connection refused". Cancelling
  /// closes the half-open connection.
  static task<tcp_stream> connect(endpoint where);

  /// Reads what there is, at most buffer.size() bytes; waits if there is nothing yet. Gives the number of bytes, 0 only
  /// at the end of the stream (or for an empty buffer, without a system call). Allocates nothing. `buffer` stays until
  /// the await is over; if that is cancelled nothing has been taken from the stream.
  [[nodiscard]] detail::transfer_awaitable read(io::mutable_bytes buffer) noexcept {
    return detail::transfer_awaitable(driver::opcode::recv, socket_.descriptor(), buffer.data(), buffer.size(),
                                      true);
  }

  /// Writes as much as there is room for, at least one byte, and gives the number; io::write_all() writes everything.
  /// Allocates nothing. `buffer` stays until the await is over; if that is cancelled nothing has been written. Writing to
  /// a peer that is gone fails with std::errc::broken_pipe or connection_reset, never with a signal.
  [[nodiscard]] detail::transfer_awaitable write(io::const_bytes buffer) noexcept {
    return detail::transfer_awaitable(driver::opcode::send, socket_.descriptor(), buffer.data(), buffer.size(),
                                      true);
  }

  /// Waits until read() would not have to wait: there are bytes, the end, or an error, which read() then gives. For
  /// connections that are silent most of the time: they need no buffer until something is there (see docs/modules/net.md).
  /// If several tasks read, another one may be quicker. Allocates nothing. Cancelling it leaves no trace.
  [[nodiscard]] detail::readiness_awaitable readable() noexcept {
    return detail::readiness_awaitable(driver::opcode::readable, socket_.descriptor());
  }
  /// The same for write(): there is room, or an error.
  [[nodiscard]] detail::readiness_awaitable writable() noexcept {
    return detail::readiness_awaitable(driver::opcode::writable, socket_.descriptor());
  }

  /// Ends one direction or both, without closing. Fails with std::errc::not_connected if the connection is broken.
  [[nodiscard]] auto shutdown(shutdown_how how) noexcept {
    return io::detail::io_awaitable<detail::shutdown_awaiter>(socket_.descriptor(), static_cast<int>(how));
  }

  /// Our end's address, and the other's. Throw system_error only if the system has no memory for the answer.
  [[nodiscard]] socket_address local_address() const;
  [[nodiscard]] socket_address peer_address() const;

  /// Whether small writes go out at once (true) or may wait for acknowledgements of earlier ones and be sent together
  /// (false, the default: Nagle's algorithm). Throw system_error if the system refuses.
  void set_nodelay(bool on);
  [[nodiscard]] bool nodelay() const;

 private:
  friend class detail::accept_awaiter;
  explicit tcp_stream(detail::socket socket) noexcept : socket_(std::move(socket)) {}
  detail::socket socket_;
};

}  // namespace astd::net
