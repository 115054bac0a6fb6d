#include <astd/coro/or_return.hpp>
#include <astd/net/connect.hpp>
#include <astd/net/resolve.hpp>
#include <astd/net/tcp_listener.hpp>

namespace astd::net {
namespace {

std::expected<detail::socket, std::error_code> listen_at(const socket_address& address) noexcept {
  auto socket = detail::socket::make(detail::socket_kind::stream, address);
  if (!socket) return socket;
  if (auto error = socket->set(detail::socket_option::reuse_address, 1)) return std::unexpected(error);
  if (auto error = socket->bind(address)) return std::unexpected(error);
  if (auto error = socket->listen(detail::default_backlog)) return std::unexpected(error);
  return socket;
}

}  // namespace

task<tcp_listener> tcp_listener::bind(endpoint where) {
  const detail::place_name name(where);
  const std::vector<socket_address> addresses = co_await or_return(lookup_host(std::move(where)));
  detail::refusals refused;
  for (const socket_address& address : addresses) {
    auto socket = listen_at(address);
    if (socket) co_return tcp_listener(std::move(*socket));
    refused.add(socket.error(), address);
  }
  co_await fail(refused.all(name, "bind"));
}

socket_address tcp_listener::local_address() const {
  return detail::value_or_throw(socket_.local_address(), "local address");
}

void tcp_listener::set_ttl(unsigned hops) {
  detail::set_option(socket_.descriptor(), detail::socket_option::time_to_live, detail::count_for_option(hops),
                     "set ttl");
}

unsigned tcp_listener::ttl() const {
  return static_cast<unsigned>(
      detail::get_option(socket_.descriptor(), detail::socket_option::time_to_live, "ttl"));
}

std::error_code tcp_listener::take_error() { return detail::take_error(socket_.descriptor()); }

io::poll_result<std::pair<tcp_stream, socket_address>> tcp_listener::try_accept() noexcept {
  auto accepted = detail::try_accept(socket_.descriptor());
  if (accepted.is_error()) return accepted.error();
  if (accepted.is_not_ready()) return io::not_ready;
  const socket_address peer = accepted.value().peer_address().value_or(socket_address());
  return std::pair(detail::stream_maker::make(*std::move(accepted)), peer);
}

namespace detail {
namespace {

failure accept_failed(std::error_code error, int descriptor) noexcept {
  const auto address = socket::local_of(descriptor);
  return failure(error, "accept at", address ? address->to_string() : std::string("a socket"));
}

}  // namespace

astd::detail::outcome<accept_awaiter::value_type> accept_awaiter::take() {
  resumed();
  if (failed()) return accept_failed(error(), fd);
  socket connected = accepted();
  // Only a connection that is broken already may have lost its peer's address; then the first read says so.
  const socket_address peer = connected.peer_address().value_or(socket_address());
  astd::detail::outcome<value_type> connection;
  connection.set_value(stream_maker::make(std::move(connected)), peer);
  return connection;
}

astd::detail::outcome<incoming_awaiter::value_type> incoming_awaiter::take() {
  resumed();
  if (failed()) return accept_failed(error(), fd);
  astd::detail::outcome<value_type> connection;
  connection.set_value(stream_maker::make(accepted()));
  return connection;
}

}  // namespace detail
}  // namespace astd::net
