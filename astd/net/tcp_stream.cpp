#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/net/connect.hpp>
#include <astd/net/resolve.hpp>
#include <astd/net/tcp_stream.hpp>

namespace astd::net {

task<tcp_stream> tcp_stream::connect(endpoint where) {
  const detail::place_name name(where);
  const std::vector<socket_address> addresses = co_await or_return(lookup_host(std::move(where)));
  failure last;
  for (const socket_address& address : addresses) {
    auto socket = detail::socket::make(detail::socket_kind::stream, address);
    if (!socket) {
      last = name.refused(socket.error(), "connect", address);
      continue;
    }
    const auto connected = co_await as_result(detail::connect_socket(*socket, address));
    if (connected) co_return tcp_stream(std::move(*socket));
    last = name.refused(connected.error(), "connect", address);
  }
  co_await fail(std::move(last));
}

socket_address tcp_stream::local_address() const {
  return detail::value_or_throw(socket_.local_address(), "local address");
}

socket_address tcp_stream::peer_address() const {
  return detail::value_or_throw(socket_.peer_address(), "peer address");
}

void tcp_stream::set_nodelay(bool on) {
  if (auto error = socket_.set(detail::socket_flag::no_delay, on))
    astd::detail::throw_failure(detail::socket_failure(error, "set nodelay", socket_.descriptor()));
}

bool tcp_stream::nodelay() const {
  return detail::value_or_throw(socket_.get(detail::socket_flag::no_delay), "nodelay");
}

astd::detail::outcome<void> detail::shutdown_awaiter::take() {
  resumed();
  if (failed()) return socket_failure(error(), "shutdown", fd);
  astd::detail::outcome<void> done;
  done.set_value();
  return done;
}

}  // namespace astd::net
