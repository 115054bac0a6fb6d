// Datagrams between processes of one machine: none is lost, none is reordered.
//
//   auto socket = co_await net::unix_datagram::bind("/run/log.sock");
//   for (;;) {
//     auto [size, sender] = co_await socket.recv_from(buffer);
//     ...
//   }
#pragma once

#include <astd/coro/task.hpp>
#include <astd/net/socket_readiness.hpp>
#include <astd/net/socket_transfer.hpp>
#include <astd/net/stream_operations.hpp>
#include <astd/net/unix_message.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace astd::net {

/// As udp_socket, but a send waits while the receiver's queue is full. Any number of tasks may use it, on any threads. A
/// cancelled receive has taken nothing, a cancelled send has sent nothing.
class unix_datagram : public detail::native_socket<unix_datagram> {
 public:
  /// At a path, which must not exist yet, or an abstract name. The file stays when the socket goes.
  static task<unix_datagram> bind(unix_address where);
  /// Without a name: nobody can answer.
  [[nodiscard]] static unix_datagram unbound();
  [[nodiscard]] static std::pair<unix_datagram, unix_datagram> pair();

  /// From now on send() goes there, and only what comes from there is received.
  task<> connect(unix_address where);

  [[nodiscard]] detail::transfer_awaitable send(io::const_bytes buffer) noexcept {
    return detail::transfer_awaitable(driver::opcode::send, fd(), buffer.data(), buffer.size(), false);
  }
  [[nodiscard]] detail::transfer_awaitable recv(io::mutable_bytes buffer) noexcept {
    return detail::transfer_awaitable(driver::opcode::recv, fd(), buffer.data(), buffer.size(), false);
  }
  [[nodiscard]] io::poll_result<std::size_t> try_send(io::const_bytes buffer) noexcept {
    return detail::try_send(fd(), buffer, false);
  }
  [[nodiscard]] io::poll_result<std::size_t> try_recv(io::mutable_bytes buffer) noexcept {
    return detail::try_receive(fd(), buffer, false);
  }
  /// "send to /run/log.sock: No such file or directory".
  [[nodiscard]] detail::unix_send_awaitable send_to(io::const_bytes buffer, const unix_address& to) noexcept {
    return detail::unix_send_awaitable(fd(), buffer, &to, std::span<const os::native_handle>());
  }
  /// The datagram's size, or the buffer's if that is smaller, and the sender.
  [[nodiscard]] auto recv_from(io::mutable_bytes buffer) noexcept {
    return io::detail::io_awaitable<detail::unix_recv_from_awaiter>(fd(), buffer);
  }
  [[nodiscard]] detail::readiness_awaitable readable() noexcept {
    return detail::readiness_awaitable(driver::opcode::readable, fd());
  }
  [[nodiscard]] detail::readiness_awaitable writable() noexcept {
    return detail::readiness_awaitable(driver::opcode::writable, fd());
  }

  /// As unix_stream has them.
  [[nodiscard]] detail::unix_send_awaitable send_with(io::const_bytes buffer,
                                                      std::span<const os::native_handle> handles) noexcept {
    return detail::unix_send_awaitable(fd(), buffer, static_cast<const unix_address*>(nullptr), handles);
  }
  [[nodiscard]] detail::unix_recv_handles_awaitable recv_with(io::mutable_bytes buffer, std::size_t most) noexcept {
    return detail::unix_recv_handles_awaitable(fd(), buffer, most);
  }

  [[nodiscard]] detail::shutdown_awaitable shutdown(shutdown_how how) noexcept {
    return detail::shutdown_awaitable(fd(), static_cast<int>(how));
  }
  [[nodiscard]] unix_address local_address() const { return detail::unix_local(fd()); }
  [[nodiscard]] unix_address peer_address() const { return detail::unix_peer(fd()); }

 private:
  friend class detail::native_socket<unix_datagram>;
  explicit unix_datagram(detail::socket socket) noexcept : socket_(std::move(socket)) {}
  [[nodiscard]] int fd() const noexcept { return socket_.descriptor(); }
  detail::socket socket_;
};

}  // namespace astd::net
