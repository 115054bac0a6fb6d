#include <astd/net/udp_socket.hpp>
#include <astd/runtime/perform_now.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace astd::net::detail {
namespace {

struct native_datagram {
  msghdr header;
  iovec piece;
};
static_assert(sizeof(native_datagram) <= sizeof(datagram::native) && alignof(native_datagram) <= 8);

const msghdr& header_of(const datagram& d) noexcept {
  return std::launder(reinterpret_cast<const native_datagram*>(d.native))->header;
}

}  // namespace

msghdr* datagram::prepare(void* data, std::size_t size) noexcept {
  auto* message = ::new (static_cast<void*>(native)) native_datagram{};
  message->piece = {data, size};
  message->header.msg_iov = &message->piece;
  message->header.msg_iovlen = 1;
  message->header.msg_name = address.data();
  message->header.msg_namelen = address.length ? address.length : native_address::capacity;
  return &message->header;
}

astd::detail::outcome<recv_from_awaiter::value_type> recv_from_awaiter::take() {
  resumed();
  if (failed()) return socket_failure(error(), "recv at", fd);
  message_.address.length = header_of(message_).msg_namelen;
  astd::detail::outcome<value_type> received;
  received.set_value(static_cast<std::size_t>(result()), message_.address.get());
  return received;
}

// ---- several at once

static_assert(sizeof(mmsghdr) == 64 && sizeof(iovec) == 16);

// The headers stand in front, one behind the other, as the system wants them; the pieces behind.
void datagram_batch::add(const void* data, std::size_t size, unsigned address_length) noexcept {
  auto* const header = ::new (static_cast<void*>(native_ + count_ * sizeof(mmsghdr))) mmsghdr{};
  auto* const piece = ::new (static_cast<void*>(native_ + capacity * sizeof(mmsghdr) + count_ * sizeof(iovec)))
      iovec{const_cast<void*>(data), size};
  header->msg_hdr.msg_iov = piece;
  header->msg_hdr.msg_iovlen = 1;
  if (address_length != 0) {
    header->msg_hdr.msg_name = addresses_[count_].data();
    header->msg_hdr.msg_namelen = address_length;
  }
  ++count_;
}

datagram_batch::datagram_batch(std::span<const outgoing_datagram> datagrams) noexcept {
  for (const outgoing_datagram& d : datagrams.first(std::min(datagrams.size(), capacity))) {
    unsigned length = 0;
    if (d.to) {
      addresses_[count_].assign(*d.to);
      length = addresses_[count_].length;
    }
    add(d.data.data(), d.data.size(), length);
  }
}

datagram_batch::datagram_batch(std::span<incoming_datagram> datagrams) noexcept {
  for (const incoming_datagram& d : datagrams.first(std::min(datagrams.size(), capacity)))
    add(d.buffer.data(), d.buffer.size(), native_address::capacity);
}

driver::messages_arguments datagram_batch::arguments(int flags) noexcept {
  return {reinterpret_cast<mmsghdr*>(native_), static_cast<unsigned>(count_), flags};
}

void datagram_batch::received(std::span<incoming_datagram> datagrams, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const mmsghdr& header = std::launder(reinterpret_cast<const mmsghdr*>(native_))[i];
    addresses_[i].length = header.msg_hdr.msg_namelen;
    datagrams[i].size = header.msg_len;
    datagrams[i].from = addresses_[i].get();
    datagrams[i].is_cut = (header.msg_hdr.msg_flags & MSG_TRUNC) != 0;
  }
}

// ---- segments

msghdr* segmented_message::prepare(const void* data, std::size_t size, std::uint16_t segment) noexcept {
  const bool connected = message.address.length == 0;
  msghdr* const header = message.prepare(const_cast<void*>(data), size);
  if (connected) {
    header->msg_name = nullptr;
    header->msg_namelen = 0;
  }
  static_assert(sizeof control >= CMSG_SPACE(sizeof segment));
  std::memset(control, 0, sizeof control);
  header->msg_control = control;
  header->msg_controllen = CMSG_SPACE(sizeof segment);
  cmsghdr* const option = CMSG_FIRSTHDR(header);
  option->cmsg_level = IPPROTO_UDP;
  option->cmsg_type = UDP_SEGMENT;
  option->cmsg_len = CMSG_LEN(sizeof segment);
  std::memcpy(CMSG_DATA(option), &segment, sizeof segment);
  return header;
}

msghdr* segmented_message::prepare_to_receive(void* data, std::size_t size) noexcept {
  msghdr* const header = message.prepare(data, size);
  header->msg_control = control;
  header->msg_controllen = sizeof control;
  return header;
}

std::size_t segmented_message::segment_size(std::size_t size) const noexcept {
  auto* const header = const_cast<msghdr*>(&header_of(message));
  for (cmsghdr* c = CMSG_FIRSTHDR(header); c != nullptr; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO) continue;
    int segment;
    std::memcpy(&segment, CMSG_DATA(c), sizeof segment);
    if (segment > 0) return static_cast<std::size_t>(segment);
  }
  return size;
}

astd::detail::outcome<segmented_datagrams> recv_segments_awaiter::take() {
  resumed();
  if (failed()) return socket_failure(error(), "recv at", fd);
  message_.message.address.length = header_of(message_.message).msg_namelen;
  const auto size = static_cast<std::size_t>(result());
  astd::detail::outcome<segmented_datagrams> received;
  received.set_value(segmented_datagrams{size, message_.segment_size(size), message_.message.address.get()});
  return received;
}

namespace {

driver::operation attempt(driver::opcode what, int descriptor) noexcept {
  driver::operation op;
  op.code = what;
  op.fd = descriptor;
  return op;
}

io::poll_result<std::size_t> result_of(driver::operation& op) noexcept {
  astd::detail::perform_now(op);
  if (op.result >= 0) return static_cast<std::size_t>(op.result);
  if (op.result == -EAGAIN) return io::not_ready;
  return std::error_code(-op.result, std::system_category());
}

io::poll_result<std::pair<std::size_t, socket_address>> receive(int descriptor, io::mutable_bytes buffer,
                                                                int flags) noexcept {
  datagram message;
  driver::operation op = attempt(driver::opcode::recvmsg, descriptor);
  op.args.message = {message.prepare(buffer.data(), buffer.size()), flags | MSG_DONTWAIT};
  const auto size = result_of(op);
  if (size.is_error()) return size.error();
  if (size.is_not_ready()) return io::not_ready;
  message.address.length = header_of(message).msg_namelen;
  return std::pair(size.value(), message.address.get());
}

void change_membership(int descriptor, int level, int name, const void* value, unsigned size, const char* action,
                       const std::string& group) {
  driver::operation op = attempt(driver::opcode::set_option, descriptor);
  op.args.option = {level, name, const_cast<void*>(value), &size};
  astd::detail::perform_now(op);
  if (op.result < 0) astd::detail::throw_failure({{-op.result, std::system_category()}, action, group});
}

in_addr native(const ipv4_address& address) noexcept { return {htonl(address.to_bits())}; }

void change_membership(int descriptor, int name, const ipv4_address& group, const ipv4_address& interface,
                       const char* action) {
  const ip_mreq request{native(group), native(interface)};
  change_membership(descriptor, IPPROTO_IP, name, &request, sizeof request, action, group.to_string());
}

void change_membership(int descriptor, int name, const ipv6_address& group, unsigned interface,
                       const char* action) {
  ipv6_mreq request{};
  const auto octets = group.octets();
  std::memcpy(&request.ipv6mr_multiaddr, octets.data(), octets.size());
  request.ipv6mr_interface = interface;
  change_membership(descriptor, IPPROTO_IPV6, name, &request, sizeof request, action, group.to_string());
}

}  // namespace
}  // namespace astd::net::detail

namespace astd::net {

io::poll_result<std::size_t> udp_socket::try_send_to(io::const_bytes buffer, const socket_address& to) noexcept {
  detail::datagram message;
  message.address.assign(to);
  driver::operation op = detail::attempt(driver::opcode::sendmsg, descriptor());
  op.args.message = {message.prepare(const_cast<std::byte*>(buffer.data()), buffer.size()), MSG_DONTWAIT};
  return detail::result_of(op);
}

io::poll_result<std::pair<std::size_t, socket_address>> udp_socket::try_recv_from(
    io::mutable_bytes buffer) noexcept {
  return detail::receive(descriptor(), buffer, 0);
}

io::poll_result<std::pair<std::size_t, socket_address>> udp_socket::try_peek_from(
    io::mutable_bytes buffer) noexcept {
  return detail::receive(descriptor(), buffer, MSG_PEEK);
}

io::poll_result<std::size_t> udp_socket::try_send_many(std::span<const outgoing_datagram> datagrams) noexcept {
  detail::datagram_batch batch(datagrams);
  if (batch.empty()) return std::size_t{0};
  driver::operation op = detail::attempt(driver::opcode::sendmmsg, descriptor());
  op.args.messages = batch.arguments(MSG_DONTWAIT);
  return detail::result_of(op);
}

io::poll_result<std::size_t> udp_socket::try_recv_many(std::span<incoming_datagram> datagrams) noexcept {
  detail::datagram_batch batch(datagrams);
  if (batch.empty()) return std::size_t{0};
  driver::operation op = detail::attempt(driver::opcode::recvmmsg, descriptor());
  op.args.messages = batch.arguments(MSG_DONTWAIT);
  const auto count = detail::result_of(op);
  if (count.is_ready()) batch.received(datagrams, count.value());
  return count;
}

void udp_socket::join_multicast_v4(const ipv4_address& group, const ipv4_address& interface) {
  detail::change_membership(descriptor(), IP_ADD_MEMBERSHIP, group, interface, "join multicast group");
}
void udp_socket::join_multicast_v6(const ipv6_address& group, unsigned interface) {
  detail::change_membership(descriptor(), IPV6_ADD_MEMBERSHIP, group, interface, "join multicast group");
}
void udp_socket::leave_multicast_v4(const ipv4_address& group, const ipv4_address& interface) {
  detail::change_membership(descriptor(), IP_DROP_MEMBERSHIP, group, interface, "leave multicast group");
}
void udp_socket::leave_multicast_v6(const ipv6_address& group, unsigned interface) {
  detail::change_membership(descriptor(), IPV6_DROP_MEMBERSHIP, group, interface, "leave multicast group");
}

void udp_socket::set_multicast_interface_v4(const ipv4_address& interface) {
  const in_addr address = detail::native(interface);
  detail::change_membership(descriptor(), IPPROTO_IP, IP_MULTICAST_IF, &address, sizeof address,
                            "set multicast interface", interface.to_string());
}

ipv4_address udp_socket::multicast_interface_v4() const {
  in_addr address{};
  unsigned size = sizeof address;
  driver::operation op = detail::attempt(driver::opcode::get_option, descriptor());
  op.args.option = {IPPROTO_IP, IP_MULTICAST_IF, &address, &size};
  astd::detail::perform_now(op);
  if (op.result < 0)
    astd::detail::throw_failure(
        detail::socket_failure({-op.result, std::system_category()}, "multicast interface", descriptor()));
  return ipv4_address::from_bits(ntohl(address.s_addr));
}

}  // namespace astd::net
