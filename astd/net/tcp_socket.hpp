// A TCP socket that is neither connected nor listening yet: for the options that have to be set before.
//
//   auto socket = net::tcp_socket::v4();
//   socket.set_reuse_port(true);
//   socket.set_receive_buffer_size(1 << 20);
//   socket.bind({net::ipv4_address::any(), 8080});
//   net::tcp_listener listener = socket.listen(1024);
//
//   auto client = net::tcp_socket::v4();
//   client.bind({net::ipv4_address(192, 0, 2, 7), 0});         // from this address
//   net::tcp_stream stream = co_await client.connect("192.0.2.1:80");
#pragma once

#include <astd/coro/task.hpp>
#include <astd/net/endpoint.hpp>
#include <astd/net/socket.hpp>
#include <astd/net/socket_options.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_stream.hpp>

namespace astd::net {

/// Has the options of tcp_stream (socket_options.hpp), which the connection or the connections of the listener take over,
/// and those below. What does not wait throws a system_error if the system refuses. One task at a time; the destructor
/// closes the socket, unless it became something else.
class tcp_socket : public detail::tcp_options<tcp_socket>, public detail::native_socket<tcp_socket> {
 public:
  /// A new socket for IPv4 addresses, for IPv6 addresses, for the family of `address`. Throw system_error when there are
  /// no descriptors left.
  [[nodiscard]] static tcp_socket v4();
  [[nodiscard]] static tcp_socket v6();
  [[nodiscard]] static tcp_socket for_address(const socket_address& address);

  /// Whether bind() takes an address at which closed connections still linger. False for a new socket, as the system has
  /// it: servers want it, and tcp_listener::bind() sets it.
  void set_reuse_address(bool on);
  [[nodiscard]] bool reuse_address() const;
  /// Whether other sockets that say so as well may listen at the same address: the system shares the connections out.
  void set_reuse_port(bool on);
  [[nodiscard]] bool reuse_port() const;
  /// Whether a socket for IPv6 stays away from IPv4, whose addresses it otherwise serves in their mapped form, where the
  /// system is so configured. Before bind().
  void set_only_v6(bool on);
  [[nodiscard]] bool only_v6() const;

  /// Takes the address; port 0 stands for any that is free. The error names it.
  void bind(const socket_address& address);
  [[nodiscard]] socket_address local_address() const;

  /// Connects, to the first of the addresses of `where` that accepts and is of its family; in turn. Then the socket is the
  /// stream's, and this is empty. If it fails (with the error of the last) or is cancelled, throw it away: systems differ
  /// in what such a socket is good for.
  task<tcp_stream> connect(endpoint where);

  /// Listens; up to `backlog` connections wait to be accepted, fewer if the system allows no more. The socket is the
  /// listener's then, and this is empty.
  [[nodiscard]] tcp_listener listen(int backlog = detail::default_backlog);

 private:
  friend class detail::native_socket<tcp_socket>;
  template <class>
  friend class detail::ip_options;
  template <class>
  friend class detail::tcp_options;
  explicit tcp_socket(detail::socket socket) noexcept : socket_(std::move(socket)) {}
  [[nodiscard]] int descriptor() const noexcept { return socket_.descriptor(); }
  detail::socket socket_;
};

}  // namespace astd::net
