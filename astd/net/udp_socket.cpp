#include <astd/coro/as_result.hpp>
#include <astd/coro/or_return.hpp>
#include <astd/net/connect.hpp>
#include <astd/net/resolve.hpp>
#include <astd/net/udp_socket.hpp>

#include <algorithm>
#include <iterator>

namespace astd::net {

using detail::socket_option;

namespace {

std::expected<detail::socket, std::error_code> with_options(const socket_address& address, bool reuse_address,
                                                            bool reuse_port, std::optional<bool> only_v6) noexcept {
  auto socket = detail::socket::make(detail::socket_kind::datagram, address);
  if (!socket) return socket;
  std::error_code error;
  if (reuse_address) error = socket->set(socket_option::reuse_address, 1);
  if (!error && reuse_port) error = socket->set(socket_option::reuse_port, 1);
  if (!error && only_v6 && address.is_ipv6()) error = socket->set(socket_option::only_v6, *only_v6);
  if (!error) error = socket->bind(address);
  if (error) return std::unexpected(error);
  return socket;
}

}  // namespace

task<udp_socket> udp_socket::bind(endpoint where) { return bind(std::move(where), udp_options()); }

task<udp_socket> udp_socket::bind(endpoint where, udp_options options) {
  const detail::place_name name(where);
  const std::vector<socket_address> addresses = co_await or_return(lookup_host(std::move(where)));
  detail::refusals refused;
  for (const socket_address& address : addresses) {
    auto socket = with_options(address, options.reuse_address_, options.reuse_port_, options.only_v6_);
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

task<> udp_socket::send_segmented(io::const_bytes data, std::size_t segment_size) {
  return send_pieces(data, segment_size, std::nullopt);
}
task<> udp_socket::send_segmented(io::const_bytes data, std::size_t segment_size, socket_address to) {
  return send_pieces(data, segment_size, to);
}

task<> udp_socket::send_pieces(io::const_bytes data, std::size_t segment_size, std::optional<socket_address> to) {
  // What Linux takes at once: 64 pieces, and as many bytes as one datagram may have (IPv4, without the headers).
  constexpr std::size_t most_pieces = 64, most_bytes = 65'507;
  if (segment_size == 0)
    co_await fail({std::make_error_code(std::errc::invalid_argument), "send in segments of", "0 bytes"});
  bool by_system = segment_size <= most_bytes / 2;
  while (by_system && data.size() > segment_size) {
    const std::size_t pieces = std::min(most_pieces, most_bytes / segment_size);
    const io::const_bytes some = data.take(pieces * segment_size);
    const auto sent = co_await as_result(io::detail::io_awaitable<detail::send_segments_awaiter>(
        socket_.descriptor(), some, static_cast<std::uint16_t>(segment_size), to));
    if (sent) {
      data = data.drop(some.size());
      continue;
    }
    // A system that does not know it, a card that cannot, or a segment that has to be cut once more on its way.
    const std::error_code why = sent.error();
    if (why != std::errc::invalid_argument && why != std::errc::io_error && why != std::errc::message_size &&
        why != std::errc::no_protocol_option && why != std::errc::operation_not_supported)
      co_await fail(detail::socket_failure(why, "send", socket_.descriptor()));
    by_system = false;
  }
  while (!data.empty()) {
    outgoing_datagram some[detail::datagram_batch::capacity];
    std::size_t count = 0;
    io::const_bytes rest = data;
    for (; count < std::size(some) && !rest.empty(); ++count) {
      some[count] = {rest.take(segment_size), to};
      rest = rest.drop(some[count].data.size());
    }
    const std::size_t sent = co_await or_return(send_many(std::span(some).first(count)));
    for (std::size_t i = 0; i < sent; ++i) data = data.drop(some[i].data.size());
  }
}

bool udp_socket::set_coalescing(bool on) { return !socket_.set(socket_option::coalesce, on); }

void udp_socket::set_broadcast(bool on) {
  detail::set_option(descriptor(), socket_option::broadcast, on, "set broadcast");
}
bool udp_socket::broadcast() const {
  return detail::get_option(descriptor(), socket_option::broadcast, "broadcast") != 0;
}

void udp_socket::set_multicast_loop_v4(bool on) {
  detail::set_option(descriptor(), socket_option::multicast_loop_v4, on, "set multicast loop");
}
bool udp_socket::multicast_loop_v4() const {
  return detail::get_option(descriptor(), socket_option::multicast_loop_v4, "multicast loop") != 0;
}
void udp_socket::set_multicast_loop_v6(bool on) {
  detail::set_option(descriptor(), socket_option::multicast_loop_v6, on, "set multicast loop");
}
bool udp_socket::multicast_loop_v6() const {
  return detail::get_option(descriptor(), socket_option::multicast_loop_v6, "multicast loop") != 0;
}
void udp_socket::set_multicast_ttl_v4(unsigned hops) {
  detail::set_option(descriptor(), socket_option::multicast_ttl_v4, detail::count_for_option(hops),
                     "set multicast ttl");
}
unsigned udp_socket::multicast_ttl_v4() const {
  return static_cast<unsigned>(detail::get_option(descriptor(), socket_option::multicast_ttl_v4, "multicast ttl"));
}
void udp_socket::set_multicast_hops_v6(unsigned hops) {
  detail::set_option(descriptor(), socket_option::multicast_hops_v6, detail::count_for_option(hops),
                     "set multicast hops");
}
unsigned udp_socket::multicast_hops_v6() const {
  return static_cast<unsigned>(
      detail::get_option(descriptor(), socket_option::multicast_hops_v6, "multicast hops"));
}
void udp_socket::set_multicast_interface_v6(unsigned interface) {
  detail::set_option(descriptor(), socket_option::multicast_interface_v6, detail::count_for_option(interface),
                     "set multicast interface");
}
unsigned udp_socket::multicast_interface_v6() const {
  return static_cast<unsigned>(
      detail::get_option(descriptor(), socket_option::multicast_interface_v6, "multicast interface"));
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
  args.message = {message_.prepare(a.buffer.data(), a.buffer.size()), a.flags};
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

astd::detail::outcome<std::size_t> send_many_awaiter::take() {
  resumed();
  if (failed()) return socket_failure(error(), "send at", fd);
  astd::detail::outcome<std::size_t> sent;
  sent.set_value(static_cast<std::size_t>(result()));
  return sent;
}

astd::detail::outcome<std::size_t> recv_many_awaiter::take() {
  resumed();
  if (failed()) return socket_failure(error(), "recv at", fd);
  batch_.received(datagrams_, static_cast<std::size_t>(result()));
  astd::detail::outcome<std::size_t> received;
  received.set_value(static_cast<std::size_t>(result()));
  return received;
}

send_segments_awaiter::send_segments_awaiter(const arguments& a) noexcept
    : io_awaiter(driver::opcode::sendmsg, a.descriptor) {
  if (a.to) message_.message.address.assign(*a.to);
  args.message = {message_.prepare(a.buffer.data(), a.buffer.size(), a.segment_size), 0};
}

astd::detail::outcome<std::size_t> send_segments_awaiter::take() {
  resumed();
  if (failed()) return failure(error());
  astd::detail::outcome<std::size_t> sent;
  sent.set_value(static_cast<std::size_t>(result()));
  return sent;
}

recv_segments_awaiter::recv_segments_awaiter(const arguments& a) noexcept
    : io_awaiter(driver::opcode::recvmsg, a.descriptor) {
  args.message = {message_.prepare_to_receive(a.buffer.data(), a.buffer.size()), 0};
}

}  // namespace detail
}  // namespace astd::net
