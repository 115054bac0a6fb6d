#include <astd/net/udp_socket.hpp>

#include <memory>
#include <new>

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

}  // namespace astd::net::detail
