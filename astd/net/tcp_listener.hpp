// Where TCP connections arrive.
//
//   auto listener = co_await net::tcp_listener::bind("127.0.0.1:8080");
//   for (;;) {
//     auto [stream, peer] = co_await listener.accept();
//     spawn(serve, std::move(stream)).detach();
//   }
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/poll_result.hpp>
#include <astd/net/endpoint.hpp>
#include <astd/net/socket_readiness.hpp>
#include <astd/net/tcp_stream.hpp>

#include <optional>
#include <system_error>
#include <utility>

namespace astd::net {
namespace detail {

/// An accept; keeps the descriptor of the connection until somebody takes it.
template <class Derived, class T>
class accept_base : public astd::detail::io_awaiter<Derived, T> {
 public:
  struct arguments {
    explicit arguments(int fd) noexcept : descriptor(fd) {}
    int descriptor;
  };
  ~accept_base() {
    if (this->operation::result >= 0) socket::close_socket(this->operation::result);
  }

 protected:
  explicit accept_base(const arguments& a) noexcept
      : astd::detail::io_awaiter<Derived, T>(driver::opcode::accept, a.descriptor) {
    this->operation::result = -1;  // no connection
  }
  [[nodiscard]] socket accepted() noexcept { return socket(std::exchange(this->operation::result, -1)); }
};

class accept_awaiter final : public accept_base<accept_awaiter, std::pair<tcp_stream, socket_address>> {
 public:
  explicit accept_awaiter(const arguments& a) noexcept : accept_base(a) {}
  astd::detail::outcome<value_type> take();
};

class incoming_awaiter final : public accept_base<incoming_awaiter, std::optional<tcp_stream>> {
 public:
  explicit incoming_awaiter(const arguments& a) noexcept : accept_base(a) {}
  astd::detail::outcome<value_type> take();
};

}  // namespace detail

/// The connections of a listener as a stream, which does not end: `auto next = co_await incoming.next();` is never empty.
/// Fails as accept() does, and goes on after a failure. The listener outlives it, unless it was given up for it.
class tcp_incoming {
 public:
  using value_type = tcp_stream;
  [[nodiscard]] auto next() noexcept { return io::detail::io_awaitable<detail::incoming_awaiter>(descriptor_); }

 private:
  friend class tcp_listener;
  explicit tcp_incoming(int descriptor) noexcept : descriptor_(descriptor) {}
  explicit tcp_incoming(detail::socket listener) noexcept
      : descriptor_(listener.descriptor()), owned_(std::move(listener)) {}
  int descriptor_;
  detail::socket owned_;
};

/// A listening socket. The destructor closes it and never blocks: the port is free for another at once, connections that
/// nobody has accepted are reset.
///
/// accept() may be awaited by several tasks at once, on any threads. All of them have ended when the listener is
/// destroyed or assigned to: anything else is a programming error.
class tcp_listener : public detail::native_socket<tcp_listener> {
 public:
  /// Listens at the first of the addresses of `where` where that is possible; port 0 stands for any that is free. The
  /// address may be one that closed connections still linger at (SO_REUSEADDR). Up to 4096 connections wait to be
  /// accepted, fewer if the system allows no more. For other options, and another number, see tcp_socket. Fails as
  /// lookup_host() does, or with the last address's error, and names each that was tried: "bind 127.0.0.1:80: Address
  /// already in use".
  static task<tcp_listener> bind(endpoint where);

  /// The next connection and the address of its peer. A connection that was reset before it could be accepted is passed
  /// over. Allocates nothing. Cancelling loses no connection: one that has come is delivered, one that has not stays for
  /// the next accept().
  ///
  /// When the process or the system is out of descriptors (std::errc::too_many_files_open,
  /// too_many_files_open_in_system) or memory it fails, and the connection waits: the next accept() fails again until
  /// something was closed, so wait a while before it.
  [[nodiscard]] auto accept() noexcept {
    return io::detail::io_awaitable<detail::accept_awaiter>(socket_.descriptor());
  }
  /// The same without waiting. Takes what has come before the call, also while another task waits in accept().
  [[nodiscard]] io::poll_result<std::pair<tcp_stream, socket_address>> try_accept() noexcept;
  /// Waits until accept() would not have to wait. Several tasks may be told of one connection. Cancelling it leaves no
  /// trace.
  [[nodiscard]] detail::readiness_awaitable readable() noexcept {
    return detail::readiness_awaitable(driver::opcode::readable, socket_.descriptor());
  }

  /// A stream of the connections, without their peers' addresses (which peer_address() has).
  [[nodiscard]] tcp_incoming incoming() & noexcept { return tcp_incoming(socket_.descriptor()); }
  /// Gives the listener up for it: `std::move(listener).into_incoming()`.
  [[nodiscard]] tcp_incoming into_incoming() && noexcept { return tcp_incoming(std::move(socket_)); }

  /// Where it listens, with the port that was chosen. Throws system_error only if the system has no memory for the
  /// answer.
  [[nodiscard]] socket_address local_address() const;

  /// How many routers a packet of its connections may pass (IPv6: hop limit): 1 to 255. Throw system_error if the system
  /// refuses.
  void set_ttl(unsigned hops);
  [[nodiscard]] unsigned ttl() const;
  /// The error that waits at the socket, an empty code if there is none; asking takes it away.
  [[nodiscard]] std::error_code take_error();

 private:
  friend class tcp_socket;
  friend class detail::native_socket<tcp_listener>;
  explicit tcp_listener(detail::socket socket) noexcept : socket_(std::move(socket)) {}
  detail::socket socket_;
};

namespace detail {

// What a system takes by default (Linux: net.core.somaxconn, which caps it). One that overflows costs the client a second,
// until it asks again; a worker that others of the machine hold up for 20 ms finds more than a thousand waiting.
inline constexpr int default_backlog = 4096;

}  // namespace detail
}  // namespace astd::net
