#include <astd/coro/or_return.hpp>
#include <astd/net/connect.hpp>
#include <astd/net/resolve.hpp>
#include <astd/net/tcp_listener.hpp>

namespace astd::net {
namespace {

// What a system takes by default (Linux: net.core.somaxconn, which caps it). One that overflows costs the client a second,
// until it asks again; a worker that others of the machine hold up for 20 ms finds more than a thousand waiting.
constexpr int backlog = 4096;

std::expected<detail::socket, std::error_code> listen_at(const socket_address& address) noexcept {
  auto socket = detail::socket::make(detail::socket_kind::stream, address);
  if (!socket) return socket;
  if (auto error = socket->set(detail::socket_flag::reuse_address, true)) return std::unexpected(error);
  if (auto error = socket->bind(address)) return std::unexpected(error);
  if (auto error = socket->listen(backlog)) return std::unexpected(error);
  return socket;
}

}  // namespace

task<tcp_listener> tcp_listener::bind(endpoint where) {
  const detail::place_name name(where);
  const std::vector<socket_address> addresses = co_await or_return(lookup_host(std::move(where)));
  failure last;
  for (const socket_address& address : addresses) {
    auto socket = listen_at(address);
    if (socket) co_return tcp_listener(std::move(*socket));
    last = name.refused(socket.error(), "bind", address);
  }
  co_await fail(std::move(last));
}

socket_address tcp_listener::local_address() const {
  return detail::value_or_throw(socket_.local_address(), "local address");
}

astd::detail::outcome<detail::accept_awaiter::value_type> detail::accept_awaiter::take() {
  resumed();
  if (failed()) {
    const auto address = socket::local_of(fd);
    return failed_with("accept at", address ? address->to_string() : std::string("a socket"));
  }
  socket accepted(std::exchange(operation::result, -1));
  // Only a connection that is broken already may have lost its peer's address; then the first read says so.
  const socket_address peer = accepted.peer_address().value_or(socket_address());
  astd::detail::outcome<value_type> connection;
  connection.set_value(tcp_stream(std::move(accepted)), peer);
  return connection;
}

}  // namespace astd::net
