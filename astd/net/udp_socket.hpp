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
#include <astd/io/poll_result.hpp>
#include <astd/net/endpoint.hpp>
#include <astd/net/native_address.hpp>
#include <astd/net/native_socket.hpp>
#include <astd/net/socket.hpp>
#include <astd/net/socket_options.hpp>
#include <astd/net/socket_readiness.hpp>
#include <astd/net/socket_transfer.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace astd::net {

/// One datagram of send_many().
struct outgoing_datagram {
  io::const_bytes data;
  std::optional<socket_address> to{};  // none: to whom the socket is connected
};

/// One datagram of recv_many(): where to put it, and what came.
struct incoming_datagram {
  io::mutable_bytes buffer;
  std::size_t size = 0;  // bytes in the buffer
  socket_address from{};
  bool is_cut = false;  // it was larger than the buffer; the rest is lost
};

/// What recv_segmented() gives: `size` bytes in the buffer, in pieces of `segment_size` each (the last may be shorter), all
/// from one sender.
struct segmented_datagrams {
  std::size_t size = 0;
  std::size_t segment_size = 0;
  socket_address from{};
};

/// What has to be set before a socket is bound: `net::udp_options().reuse_address(true)`.
class udp_options {
 public:
  udp_options() noexcept {}
  /// Several sockets may have the address; what comes by multicast comes to all of them.
  udp_options& reuse_address(bool on) noexcept {
    reuse_address_ = on;
    return *this;
  }
  /// Several sockets that say so may have the address; the system shares out what comes.
  udp_options& reuse_port(bool on) noexcept {
    reuse_port_ = on;
    return *this;
  }
  /// A socket for IPv6 stays away from IPv4 addresses in their mapped form. As the system is configured, if not said.
  udp_options& only_v6(bool on) noexcept {
    only_v6_ = on;
    return *this;
  }

 private:
  friend class udp_socket;
  bool reuse_address_ = false, reuse_port_ = false;
  std::optional<bool> only_v6_;
};

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
    arguments(int fd, io::mutable_bytes bytes, int with_flags) noexcept
        : descriptor(fd), buffer(bytes), flags(with_flags) {}
    int descriptor;
    io::mutable_bytes buffer;
    int flags = 0;
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

/// Several messages, each with its address, as the system wants them.
class datagram_batch {
 public:
  static constexpr std::size_t capacity = 32;
  explicit datagram_batch(std::span<const outgoing_datagram> datagrams) noexcept;
  explicit datagram_batch(std::span<incoming_datagram> datagrams) noexcept;
  datagram_batch(const datagram_batch&) = delete;
  datagram_batch& operator=(const datagram_batch&) = delete;
  driver::messages_arguments arguments(int flags) noexcept;
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  /// Tells what came in the first `count`.
  void received(std::span<incoming_datagram> datagrams, std::size_t count) noexcept;

 private:
  void add(const void* data, std::size_t size, unsigned address_length) noexcept;
  std::size_t count_ = 0;
  native_address addresses_[capacity];
  alignas(8) std::byte native_[capacity * 80];
};

class send_many_awaiter final : public astd::detail::io_awaiter<send_many_awaiter, std::size_t> {
 public:
  struct arguments {
    arguments(int fd, std::span<const outgoing_datagram> all) noexcept : descriptor(fd), datagrams(all) {}
    int descriptor;
    std::span<const outgoing_datagram> datagrams;
  };
  explicit send_many_awaiter(const arguments& a) noexcept
      : io_awaiter(driver::opcode::sendmmsg, a.descriptor), batch_(a.datagrams) {
    args.messages = batch_.arguments(0);
  }
  bool await_ready() const noexcept { return batch_.empty(); }
  astd::detail::outcome<std::size_t> take();

 private:
  datagram_batch batch_;
};

class recv_many_awaiter final : public astd::detail::io_awaiter<recv_many_awaiter, std::size_t> {
 public:
  struct arguments {
    arguments(int fd, std::span<incoming_datagram> all) noexcept : descriptor(fd), datagrams(all) {}
    int descriptor;
    std::span<incoming_datagram> datagrams;
  };
  explicit recv_many_awaiter(const arguments& a) noexcept
      : io_awaiter(driver::opcode::recvmmsg, a.descriptor), datagrams_(a.datagrams), batch_(a.datagrams) {
    args.messages = batch_.arguments(0);
  }
  bool await_ready() const noexcept { return batch_.empty(); }
  astd::detail::outcome<std::size_t> take();

 private:
  std::span<incoming_datagram> datagrams_;
  datagram_batch batch_;
};

/// One message and one option of the system with it: the size of its segments.
struct segmented_message {
  segmented_message() noexcept = default;
  /// To send; `address.length` is 0 for the socket's peer.
  msghdr* prepare(const void* data, std::size_t size, std::uint16_t segment) noexcept;
  msghdr* prepare_to_receive(void* data, std::size_t size) noexcept;
  /// As the system says, or `size` if it says nothing.
  [[nodiscard]] std::size_t segment_size(std::size_t size) const noexcept;
  datagram message;
  alignas(8) std::byte control[64];
};

class send_segments_awaiter final : public astd::detail::io_awaiter<send_segments_awaiter, std::size_t> {
 public:
  struct arguments {
    arguments(int fd, io::const_bytes bytes, std::uint16_t segment,
              const std::optional<socket_address>& receiver) noexcept
        : descriptor(fd), segment_size(segment), buffer(bytes), to(receiver) {}
    int descriptor;
    std::uint16_t segment_size;
    io::const_bytes buffer;
    std::optional<socket_address> to;
  };
  explicit send_segments_awaiter(const arguments& a) noexcept;
  astd::detail::outcome<std::size_t> take();

 private:
  segmented_message message_;
};

class recv_segments_awaiter final : public astd::detail::io_awaiter<recv_segments_awaiter, segmented_datagrams> {
 public:
  struct arguments {
    arguments(int fd, io::mutable_bytes bytes) noexcept : descriptor(fd), buffer(bytes) {}
    int descriptor;
    io::mutable_bytes buffer;
  };
  explicit recv_segments_awaiter(const arguments& a) noexcept;
  astd::detail::outcome<segmented_datagrams> take();

 private:
  segmented_message message_;
};

}  // namespace detail

/// A UDP socket: each send is one datagram, each receive takes one. All functions may be used by several tasks at the
/// same time, on any threads. The destructor closes it and never blocks; doing so, or assigning to it, while an
/// operation is in flight is a programming error.
///
/// Where a buffer is smaller than the datagram, the rest of that is lost; an empty buffer takes and drops one. Buffers
/// stay until the await is over; a cancelled receive has taken nothing, a cancelled send has sent nothing. None of these
/// but the send to a name allocates anything.
class udp_socket : public detail::ip_options<udp_socket>, public detail::native_socket<udp_socket> {
 public:
  /// A socket at the first of the addresses of `where` that is free; port 0 stands for any that is. Fails as
  /// lookup_host() does, or with the last address's error, which names it.
  static task<udp_socket> bind(endpoint where);
  static task<udp_socket> bind(endpoint where, udp_options options);

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

  /// The same without waiting.
  [[nodiscard]] io::poll_result<std::size_t> try_send(io::const_bytes buffer) noexcept {
    return detail::try_send(socket_.descriptor(), buffer, false);
  }
  [[nodiscard]] io::poll_result<std::size_t> try_recv(io::mutable_bytes buffer) noexcept {
    return detail::try_receive(socket_.descriptor(), buffer, false);
  }
  /// As recv(), but leaves the datagram for the next receive.
  [[nodiscard]] detail::transfer_awaitable peek(io::mutable_bytes buffer) noexcept {
    return detail::transfer_awaitable(driver::opcode::recv, socket_.descriptor(), buffer.data(), buffer.size(),
                                      false, detail::peek_flag);
  }
  [[nodiscard]] io::poll_result<std::size_t> try_peek(io::mutable_bytes buffer) noexcept {
    return detail::try_receive(socket_.descriptor(), buffer, false, detail::peek_flag);
  }

  /// Waits until a receive would not have to wait: there is a datagram, or an error; until a send would not. If several
  /// tasks receive, another one may be quicker. Cancelling it leaves no trace.
  [[nodiscard]] detail::readiness_awaitable readable() noexcept {
    return detail::readiness_awaitable(driver::opcode::readable, socket_.descriptor());
  }
  [[nodiscard]] detail::readiness_awaitable writable() noexcept {
    return detail::readiness_awaitable(driver::opcode::writable, socket_.descriptor());
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

  /// As recv_from(), but leaves the datagram for the next receive.
  [[nodiscard]] auto peek_from(io::mutable_bytes buffer) noexcept {
    return io::detail::io_awaitable<detail::recv_from_awaiter>(socket_.descriptor(), buffer, detail::peek_flag);
  }
  /// The same without waiting.
  [[nodiscard]] io::poll_result<std::size_t> try_send_to(io::const_bytes buffer, const socket_address& to) noexcept;
  [[nodiscard]] io::poll_result<std::pair<std::size_t, socket_address>> try_recv_from(
      io::mutable_bytes buffer) noexcept;
  [[nodiscard]] io::poll_result<std::pair<std::size_t, socket_address>> try_peek_from(
      io::mutable_bytes buffer) noexcept;

  /// Several datagrams with one call of the system: as many of the first 32 as there is room for, at least one, and gives
  /// how many. If the first cannot be sent it fails; an error of a later one is left for the next call. The span and all
  /// that it refers to stay until the await is over; cancelled, it has sent nothing.
  [[nodiscard]] auto send_many(std::span<const outgoing_datagram> datagrams) noexcept {
    return io::detail::io_awaitable<detail::send_many_awaiter>(socket_.descriptor(), datagrams);
  }
  /// As many datagrams as there are, at least one, at most 32 and one for each of `datagrams`, whose first ones then say
  /// what came; gives how many.
  [[nodiscard]] auto recv_many(std::span<incoming_datagram> datagrams) noexcept {
    return io::detail::io_awaitable<detail::recv_many_awaiter>(socket_.descriptor(), datagrams);
  }
  /// The same without waiting.
  [[nodiscard]] io::poll_result<std::size_t> try_send_many(std::span<const outgoing_datagram> datagrams) noexcept;
  [[nodiscard]] io::poll_result<std::size_t> try_recv_many(std::span<incoming_datagram> datagrams) noexcept;

  /// Sends `data` in datagrams of `segment_size` bytes each, the last of what is left: to `to`, or to whom it is connected.
  /// The system, or the network card, cuts it to pieces where it can (Linux: UDP_SEGMENT), which costs a fraction of a
  /// call for each; elsewhere it is send_many(). A size of 0 is std::errc::invalid_argument. `data` stays until the await
  /// is over; failed or cancelled, it may have sent a part.
  [[nodiscard]] task<> send_segmented(io::const_bytes data, std::size_t segment_size);
  [[nodiscard]] task<> send_segmented(io::const_bytes data, std::size_t segment_size, socket_address to);
  /// Whether datagrams of one sender and one size may come together, in one recv_segmented() (Linux: UDP_GRO). False if
  /// the system does not know it; then each comes alone. Other receives would take such a bundle for one datagram.
  bool set_coalescing(bool on);
  /// Datagrams that came together. A buffer of 65,535 bytes loses nothing.
  [[nodiscard]] auto recv_segmented(io::mutable_bytes buffer) noexcept {
    return io::detail::io_awaitable<detail::recv_segments_awaiter>(socket_.descriptor(), buffer);
  }

  // What follows does not wait. Each throws a system_error that names what was to be set if the system refuses; the
  // simulated network knows no multicast.

  /// Whether it may send to broadcast addresses (false by default).
  void set_broadcast(bool on);
  [[nodiscard]] bool broadcast() const;

  /// Datagrams to `group` come here from now on, or no more: by the interface with the address `interface`, by any if it
  /// is 0.0.0.0; IPv6: by the interface with that index, by any if it is 0.
  void join_multicast_v4(const ipv4_address& group, const ipv4_address& interface = ipv4_address::any());
  void join_multicast_v6(const ipv6_address& group, unsigned interface = 0);
  void leave_multicast_v4(const ipv4_address& group, const ipv4_address& interface = ipv4_address::any());
  void leave_multicast_v6(const ipv6_address& group, unsigned interface = 0);
  /// Whether what we send to a group comes back to members on this machine (true by default).
  void set_multicast_loop_v4(bool on);
  [[nodiscard]] bool multicast_loop_v4() const;
  void set_multicast_loop_v6(bool on);
  [[nodiscard]] bool multicast_loop_v6() const;
  /// How many routers it may pass: 0 (this machine) to 255; 1 by default.
  void set_multicast_ttl_v4(unsigned hops);
  [[nodiscard]] unsigned multicast_ttl_v4() const;
  void set_multicast_hops_v6(unsigned hops);
  [[nodiscard]] unsigned multicast_hops_v6() const;
  /// By which interface it leaves: that with the address, or the index; any or 0 as the system thinks fit.
  void set_multicast_interface_v4(const ipv4_address& interface);
  [[nodiscard]] ipv4_address multicast_interface_v4() const;
  void set_multicast_interface_v6(unsigned interface);
  [[nodiscard]] unsigned multicast_interface_v6() const;

  /// Where it is bound, with the port that was chosen. Throws system_error only if the system has no memory for the
  /// answer.
  [[nodiscard]] socket_address local_address() const;
  /// Whom it is connected to; throws system_error with std::errc::not_connected if it is not.
  [[nodiscard]] socket_address peer_address() const;

 private:
  friend class detail::native_socket<udp_socket>;
  template <class>
  friend class detail::ip_options;
  [[nodiscard]] int descriptor() const noexcept { return socket_.descriptor(); }
  task<> send_pieces(io::const_bytes data, std::size_t segment_size, std::optional<socket_address> to);
  explicit udp_socket(detail::socket socket) noexcept : socket_(std::move(socket)) {}
  task<std::size_t> send_to_first(io::const_bytes buffer, endpoint to);
  detail::socket socket_;
};

}  // namespace astd::net
