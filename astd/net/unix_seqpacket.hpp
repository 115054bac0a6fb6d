// A connection of messages between processes of one machine: each send is one message, each receive takes one, in order
// and without loss.
//
//   auto [a, b] = net::unix_seqpacket::pair();
//   co_await a.send("one");
//   auto n = co_await b.recv(buffer);          // 3
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

/// A message that is larger than the buffer loses its rest. recv() gives 0 when the peer has gone (and for an empty
/// message: send none). Any number of tasks may use it, on any threads. Where nothing is said the members are as those of
/// unix_stream.
class unix_seqpacket : public detail::native_socket<unix_seqpacket> {
 public:
  static constexpr detail::unix_kind socket_kind = detail::unix_kind::packets;
  static task<unix_seqpacket> connect(unix_address where);
  [[nodiscard]] static std::pair<unix_seqpacket, unix_seqpacket> pair();

  [[nodiscard]] detail::transfer_awaitable send(io::const_bytes message) noexcept {
    return detail::transfer_awaitable(driver::opcode::send, fd(), message.data(), message.size(), false);
  }
  [[nodiscard]] detail::transfer_awaitable recv(io::mutable_bytes buffer) noexcept {
    return detail::transfer_awaitable(driver::opcode::recv, fd(), buffer.data(), buffer.size(), false);
  }
  [[nodiscard]] io::poll_result<std::size_t> try_send(io::const_bytes message) noexcept {
    return detail::try_send(fd(), message, false);
  }
  [[nodiscard]] io::poll_result<std::size_t> try_recv(io::mutable_bytes buffer) noexcept {
    return detail::try_receive(fd(), buffer, false);
  }
  [[nodiscard]] detail::readiness_awaitable readable() noexcept {
    return detail::readiness_awaitable(driver::opcode::readable, fd());
  }
  [[nodiscard]] detail::readiness_awaitable writable() noexcept {
    return detail::readiness_awaitable(driver::opcode::writable, fd());
  }

  /// With a message, which may be empty of bytes but not of both.
  [[nodiscard]] detail::unix_send_awaitable send_with(io::const_bytes message,
                                                      std::span<const os::native_handle> handles) noexcept {
    return detail::unix_send_awaitable(fd(), message, static_cast<const unix_address*>(nullptr), handles);
  }
  [[nodiscard]] detail::unix_recv_handles_awaitable recv_with(io::mutable_bytes buffer, std::size_t most) noexcept {
    return detail::unix_recv_handles_awaitable(fd(), buffer, most);
  }

  [[nodiscard]] detail::shutdown_awaitable shutdown(shutdown_how how) noexcept {
    return detail::shutdown_awaitable(fd(), static_cast<int>(how));
  }
  [[nodiscard]] unix_address local_address() const { return detail::unix_local(fd()); }
  [[nodiscard]] unix_address peer_address() const { return detail::unix_peer(fd()); }
  [[nodiscard]] unix_credentials peer_credentials() const { return detail::unix_peer_credentials(fd()); }

 private:
  friend class detail::native_socket<unix_seqpacket>;
  friend struct detail::unix_maker;
  explicit unix_seqpacket(detail::socket socket) noexcept : socket_(std::move(socket)) {}
  [[nodiscard]] int fd() const noexcept { return socket_.descriptor(); }
  detail::socket socket_;
};

}  // namespace astd::net
