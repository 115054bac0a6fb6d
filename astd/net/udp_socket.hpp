// Datagrams over UDP.
//
//   auto socket = co_await net::udp_socket::bind("0.0.0.0:53");
//   std::array<std::byte, 1500> buffer;
//   for (;;) {
//     auto [size, sender] = co_await socket.recv_from(buffer);
//     co_await socket.send_to(std::span(buffer).first(size), sender);
//   }
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/buffer.hpp>
#include <astd/net/endpoint.hpp>
#include <astd/net/native_address.hpp>
#include <astd/net/socket.hpp>
#include <astd/net/socket_transfer.hpp>

#include <concepts>
#include <cstddef>
#include <utility>

namespace astd::net {
namespace detail {

/// A message of one piece, and room for its sender or receiver; in the system's form, which no header shows.
struct datagram {
  datagram() noexcept = default;
  /// `address.length` is 0 where an address is to be received.
  msghdr* prepare(void* data, std::size_t size) noexcept;
  native_address address;
  alignas(8) std::byte native[80];
};

class recv_from_awaiter final
    : public astd::detail::io_awaiter<recv_from_awaiter, std::pair<std::size_t, socket_address>> {
 public:
  struct arguments {
    arguments(int fd, io::mutable_bytes bytes) noexcept : descriptor(fd), buffer(bytes) {}
    int descriptor;
    io::mutable_bytes buffer;
  };
  explicit recv_from_awaiter(const arguments& a) noexcept;
  astd::detail::outcome<value_type> take();

 private:
  datagram message_;
};

class send_to_awaiter final : public astd::detail::io_awaiter<send_to_awaiter, std::size_t> {
 public:
  struct arguments {
    arguments(int fd, io::const_bytes bytes, const socket_address& receiver) noexcept
        : descriptor(fd), buffer(bytes), to(receiver) {}
    int descriptor;
    io::const_bytes buffer;
    socket_address to;
  };
  explicit send_to_awaiter(const arguments& a) noexcept;
  astd::detail::outcome<std::size_t> take();

 private:
  datagram message_;
};

}  // namespace detail

/// A UDP socket: each send is one datagram, each receive takes one. All functions may be used by several tasks at the
/// same time, on any threads. The destructor closes it and never blocks; doing so, or assigning to it, while an
/// operation is in flight is a programming error.
///
/// Where a buffer is smaller than the datagram, the rest of that is lost; an empty buffer takes and drops one. Buffers
/// stay until the await is over; a cancelled receive has taken nothing, a cancelled send has sent nothing. None of these
/// but the send to a name allocates anything.
class udp_socket {
 public:
  /// A socket at the first of the addresses of `where` that is free; port 0 stands for any that is. Fails as
  /// lookup_host() does, or with the last address's error, which names it.
  static task<udp_socket> bind(endpoint where);

  /// From now on send() goes there, and datagrams from elsewhere are not received. Tries the addresses of `where` in
  /// turn; no packet is sent for it. Fails as bind does.
  task<> connect(endpoint where);

  /// To and from whom it is connected to. A refusal that the peer sent back for an earlier datagram is reported as
  /// std::errc::connection_refused.
  [[nodiscard]] detail::transfer_awaitable send(io::const_bytes buffer) noexcept {
    return detail::transfer_awaitable(driver::opcode::send, socket_.descriptor(), buffer.data(), buffer.size(),
                                      false);
  }
  [[nodiscard]] detail::transfer_awaitable recv(io::mutable_bytes buffer) noexcept {
    return detail::transfer_awaitable(driver::opcode::recv, socket_.descriptor(), buffer.data(), buffer.size(),
                                      false);
  }

  [[nodiscard]] auto send_to(io::const_bytes buffer, const socket_address& to) noexcept {
    return io::detail::io_awaitable<detail::send_to_awaiter>(socket_.descriptor(), buffer, to);
  }
  /// To the first of the addresses of `to`, a name or anything else that names an address.
  template <std::convertible_to<endpoint> To>
    requires(!std::convertible_to<const To&, socket_address>)
  [[nodiscard]] ASTD_CORO_WRAPPER task<std::size_t> send_to(io::const_bytes buffer, const To& to) {
    return send_to_first(buffer, endpoint(to));
  }

  /// Gives the datagram's size, or the buffer's if that is smaller, and the sender.
  [[nodiscard]] auto recv_from(io::mutable_bytes buffer) noexcept {
    return io::detail::io_awaitable<detail::recv_from_awaiter>(socket_.descriptor(), buffer);
  }

  /// Where it is bound, with the port that was chosen. Throws system_error only if the system has no memory for the
  /// answer.
  [[nodiscard]] socket_address local_address() const;
  /// Whom it is connected to; throws system_error with std::errc::not_connected if it is not.
  [[nodiscard]] socket_address peer_address() const;

 private:
  explicit udp_socket(detail::socket socket) noexcept : socket_(std::move(socket)) {}
  task<std::size_t> send_to_first(io::const_bytes buffer, endpoint to);
  detail::socket socket_;
};

}  // namespace astd::net
