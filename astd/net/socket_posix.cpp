#include <astd/net/native_address.hpp>
#include <astd/net/socket.hpp>
#include <astd/net/socket_address_posix.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/runtime/perform_now.hpp>

#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace astd::net::detail {
namespace {

using driver::opcode;
using driver::operation;

// For operations that every driver ends at once: names, options, a new socket, the close of one.
std::error_code carry_out(operation& op) noexcept {
  astd::detail::perform_now(op);
  if (op.result >= 0) return {};
  return {-op.result, std::system_category()};
}

operation make(opcode what, int descriptor) noexcept {
  operation op;
  op.code = what;
  op.fd = descriptor;
  return op;
}

struct option {
  int level, name;
};
option native(socket_flag flag) noexcept {
  if (flag == socket_flag::reuse_address) return {SOL_SOCKET, SO_REUSEADDR};
  return {IPPROTO_TCP, TCP_NODELAY};
}

std::expected<socket_address, std::error_code> name(opcode which, int descriptor) noexcept {
  native_address address;
  address.length = native_address::capacity;
  operation op = make(which, descriptor);
  op.args.address = {address.data(), &address.length};
  if (auto error = carry_out(op)) return std::unexpected(error);
  return address.get();
}

}  // namespace

static_assert(static_cast<int>(shutdown_how::read) == SHUT_RD && static_cast<int>(shutdown_how::write) == SHUT_WR &&
              static_cast<int>(shutdown_how::both) == SHUT_RDWR);
static_assert(native_address::capacity >= sizeof(sockaddr_in6) && native_address::capacity >= sizeof(sockaddr_in));

void native_address::assign(const socket_address& address) noexcept {
  sockaddr_storage native;
  length = to_native(address, native);
  std::memcpy(bytes, &native, length);
}

socket_address native_address::get() const noexcept {
  return from_native(reinterpret_cast<const sockaddr*>(bytes), length).value_or(socket_address());
}

std::expected<socket, std::error_code> socket::make(socket_kind what, const socket_address& address) noexcept {
  operation op = detail::make(opcode::socket, -1);
  op.args.socket = {address.is_ipv4() ? AF_INET : AF_INET6, what == socket_kind::stream ? SOCK_STREAM : SOCK_DGRAM,
                    0};
  if (auto error = carry_out(op)) return std::unexpected(error);
  return socket(op.result);
}

void socket::close_socket(int descriptor) noexcept {
  operation op = detail::make(opcode::close, descriptor);
  op.args.value = 0;
  // There is nothing to be done about an error: the descriptor is gone.
  (void)carry_out(op);
}

std::error_code socket::bind(const socket_address& address) const noexcept {
  native_address native(address);
  operation op = detail::make(opcode::bind, descriptor_);
  op.args.address = {native.data(), &native.length};
  return carry_out(op);
}

std::error_code socket::listen(int backlog) const noexcept {
  operation op = detail::make(opcode::listen, descriptor_);
  op.args.value = backlog;
  return carry_out(op);
}

std::error_code socket::set(socket_flag flag, bool on) const noexcept {
  const option which = native(flag);
  int value = on;
  unsigned size = sizeof value;
  operation op = detail::make(opcode::set_option, descriptor_);
  op.args.option = {which.level, which.name, &value, &size};
  return carry_out(op);
}

std::expected<bool, std::error_code> socket::get(socket_flag flag) const noexcept {
  const option which = native(flag);
  int value = 0;
  unsigned size = sizeof value;
  operation op = detail::make(opcode::get_option, descriptor_);
  op.args.option = {which.level, which.name, &value, &size};
  if (auto error = carry_out(op)) return std::unexpected(error);
  return value != 0;
}

std::expected<socket_address, std::error_code> socket::local_address() const noexcept {
  return local_of(descriptor_);
}

std::expected<socket_address, std::error_code> socket::local_of(int descriptor) noexcept {
  return name(opcode::local_name, descriptor);
}

std::expected<socket_address, std::error_code> socket::peer_of(int descriptor) noexcept {
  auto peer = name(opcode::peer_name, descriptor);
#ifdef SO_PEERNAME
  // A broken connection has no peer any more as getpeername sees it; it still knows the address. To be told one has to
  // ask for no more bytes than that has: as many as our own address.
  if (!peer && peer.error() == std::errc::not_connected) {
    const auto local = local_of(descriptor);
    if (!local) return peer;
    native_address address(*local);
    operation op = detail::make(opcode::get_option, descriptor);
    op.args.option = {SOL_SOCKET, SO_PEERNAME, address.data(), &address.length};
    if (!carry_out(op) && address.get().port() != 0) return address.get();
  }
#endif
  return peer;
}

}  // namespace astd::net::detail
