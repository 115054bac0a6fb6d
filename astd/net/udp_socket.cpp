#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/net/connect.hpp>
#include <astd/net/resolve.hpp>
#include <astd/net/udp_socket.hpp>

namespace astd::net {
namespace {

std::expected<detail::socket, std::error_code> bind_at(const socket_address& address) noexcept {
  auto socket = detail::socket::make(detail::socket_kind::datagram, address);
  if (!socket) return socket;
  if (auto error = socket->bind(address)) return std::unexpected(error);
  return socket;
}

}  // namespace

task<udp_socket> udp_socket::bind(endpoint where) {
  const detail::place_name name(where);
  const std::vector<socket_address> addresses = co_await or_return(lookup_host(std::move(where)));
  detail::refusals refused;
  for (const socket_address& address : addresses) {
    auto socket = bind_at(address);
    if (socket) co_return udp_socket(std::move(*socket));
    refused.add(socket.error(), address);
  }
  co_await fail(refused.all(name, "bind"));
}

task<> udp_socket::connect(endpoint where) {
  const detail::place_name name(where);
  const std::vector<socket_address> addresses = co_await or_return(lookup_host(std::move(where)));
  detail::refusals refused;
  for (const socket_address& address : addresses) {
    const auto connected = co_await as_result(detail::connect_socket(socket_, address));
    if (connected) co_return;
    refused.add(connected.error(), address);
  }
  co_await fail(refused.all(name, "connect"));
}

task<std::size_t> udp_socket::send_to_first(io::const_bytes buffer, endpoint to) {
  const std::vector<socket_address> addresses = co_await or_return(lookup_host(std::move(to)));
  const std::size_t size = co_await or_return(send_to(buffer, addresses.front()));
  co_return size;
}

socket_address udp_socket::local_address() const {
  return detail::value_or_throw(socket_.local_address(), "local address");
}

socket_address udp_socket::peer_address() const {
  return detail::value_or_throw(socket_.peer_address(), "peer address");
}

namespace detail {

recv_from_awaiter::recv_from_awaiter(const arguments& a) noexcept
    : io_awaiter(driver::opcode::recvmsg, a.descriptor) {
  args.message = {message_.prepare(a.buffer.data(), a.buffer.size()), 0};
}

send_to_awaiter::send_to_awaiter(const arguments& a) noexcept : io_awaiter(driver::opcode::sendmsg, a.descriptor) {
  message_.address.assign(a.to);
  args.message = {message_.prepare(const_cast<std::byte*>(a.buffer.data()), a.buffer.size()), 0};
}

astd::detail::outcome<std::size_t> send_to_awaiter::take() {
  resumed();
  if (failed()) return failed_with("send to", message_.address.get().to_string());
  astd::detail::outcome<std::size_t> sent;
  sent.set_value(static_cast<std::size_t>(result()));
  return sent;
}

}  // namespace detail
}  // namespace astd::net
