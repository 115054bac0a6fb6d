#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/net/connect.hpp>
#include <astd/net/resolve.hpp>
#include <astd/net/socket_transfer.hpp>
#include <astd/net/tcp_socket.hpp>

namespace astd::net {

using detail::socket_option;

tcp_socket tcp_socket::v4() { return for_address({ipv4_address::any(), 0}); }
tcp_socket tcp_socket::v6() { return for_address({ipv6_address::any(), 0}); }

tcp_socket tcp_socket::for_address(const socket_address& address) {
  auto made = detail::socket::make(detail::socket_kind::stream, address);
  if (!made) astd::detail::throw_failure({made.error(), "make a socket for", address.to_string()});
  return tcp_socket(std::move(*made));
}

void tcp_socket::set_reuse_address(bool on) {
  detail::set_option(descriptor(), socket_option::reuse_address, on, "set reuse address");
}
bool tcp_socket::reuse_address() const {
  return detail::get_option(descriptor(), socket_option::reuse_address, "reuse address") != 0;
}

void tcp_socket::set_reuse_port(bool on) {
  detail::set_option(descriptor(), socket_option::reuse_port, on, "set reuse port");
}
bool tcp_socket::reuse_port() const {
  return detail::get_option(descriptor(), socket_option::reuse_port, "reuse port") != 0;
}

void tcp_socket::set_only_v6(bool on) {
  detail::set_option(descriptor(), socket_option::only_v6, on, "set only v6");
}
bool tcp_socket::only_v6() const {
  return detail::get_option(descriptor(), socket_option::only_v6, "only v6") != 0;
}

void tcp_socket::bind(const socket_address& address) {
  if (auto error = socket_.bind(address)) astd::detail::throw_failure({error, "bind", address.to_string()});
}

socket_address tcp_socket::local_address() const {
  return detail::value_or_throw(socket_.local_address(), "local address");
}

task<tcp_stream> tcp_socket::connect(endpoint where) {
  const detail::place_name name(where);
  const std::vector<socket_address> addresses = co_await or_return(lookup_host(std::move(where)));
  detail::refusals refused;
  for (const socket_address& address : addresses) {
    const auto connected = co_await as_result(detail::connect_socket(socket_, address));
    if (connected) co_return detail::stream_maker::make(std::move(socket_));
    refused.add(connected.error(), address);
  }
  co_await fail(refused.all(name, "connect"));
}

tcp_listener tcp_socket::listen(int backlog) {
  if (auto error = socket_.listen(backlog))
    astd::detail::throw_failure(detail::socket_failure(error, "listen", descriptor()));
  return tcp_listener(std::move(socket_));
}

}  // namespace astd::net
