#include <astd/net/native_address.hpp>
#include <astd/net/socket.hpp>
#include <astd/net/socket_address_posix.hpp>
#include <astd/net/socket_transfer.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/runtime/perform_now.hpp>

#include <climits>
#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
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

std::error_code set_native(int descriptor, option which, const void* value, unsigned size) noexcept {
  operation op = make(opcode::set_option, descriptor);
  op.args.option = {which.level, which.name, const_cast<void*>(value), &size};
  return carry_out(op);
}

std::expected<int, std::error_code> get_native(int descriptor, option which) noexcept {
  int value = 0;
  unsigned size = sizeof value;
  operation op = make(opcode::get_option, descriptor);
  op.args.option = {which.level, which.name, &value, &size};
  if (auto error = carry_out(op)) return std::unexpected(error);
  return value;
}

bool is_v6(int descriptor) noexcept { return get_native(descriptor, {SOL_SOCKET, SO_DOMAIN}) == AF_INET6; }

option native(socket_option which, int descriptor) noexcept {
  switch (which) {
    case socket_option::reuse_address: return {SOL_SOCKET, SO_REUSEADDR};
    case socket_option::reuse_port: return {SOL_SOCKET, SO_REUSEPORT};
    case socket_option::broadcast: return {SOL_SOCKET, SO_BROADCAST};
    case socket_option::keep_alive: return {SOL_SOCKET, SO_KEEPALIVE};
    case socket_option::send_buffer: return {SOL_SOCKET, SO_SNDBUF};
    case socket_option::receive_buffer: return {SOL_SOCKET, SO_RCVBUF};
    case socket_option::pending_error: return {SOL_SOCKET, SO_ERROR};
    case socket_option::only_v6: return {IPPROTO_IPV6, IPV6_V6ONLY};
    case socket_option::time_to_live:
      if (is_v6(descriptor)) return {IPPROTO_IPV6, IPV6_UNICAST_HOPS};
      return {IPPROTO_IP, IP_TTL};
    case socket_option::type_of_service:
      if (is_v6(descriptor)) return {IPPROTO_IPV6, IPV6_TCLASS};
      return {IPPROTO_IP, IP_TOS};
    case socket_option::no_delay: return {IPPROTO_TCP, TCP_NODELAY};
    case socket_option::quick_ack: return {IPPROTO_TCP, TCP_QUICKACK};
    case socket_option::keep_idle: return {IPPROTO_TCP, TCP_KEEPIDLE};
    case socket_option::keep_interval: return {IPPROTO_TCP, TCP_KEEPINTVL};
    case socket_option::keep_count: return {IPPROTO_TCP, TCP_KEEPCNT};
    case socket_option::user_timeout: return {IPPROTO_TCP, TCP_USER_TIMEOUT};
    case socket_option::segment_size: return {IPPROTO_UDP, UDP_SEGMENT};
    case socket_option::coalesce: return {IPPROTO_UDP, UDP_GRO};
    case socket_option::multicast_loop_v4: return {IPPROTO_IP, IP_MULTICAST_LOOP};
    case socket_option::multicast_loop_v6: return {IPPROTO_IPV6, IPV6_MULTICAST_LOOP};
    case socket_option::multicast_ttl_v4: return {IPPROTO_IP, IP_MULTICAST_TTL};
    case socket_option::multicast_hops_v6: return {IPPROTO_IPV6, IPV6_MULTICAST_HOPS};
    case socket_option::multicast_interface_v6: return {IPPROTO_IPV6, IPV6_MULTICAST_IF};
  }
  return {-1, -1};
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

std::error_code socket::set(socket_option which, int value) const noexcept {
  return set_native(descriptor_, native(which, descriptor_), &value, sizeof value);
}

std::expected<int, std::error_code> socket::get(socket_option which) const noexcept {
  return get_native(descriptor_, native(which, descriptor_));
}

socket socket::share() {
  if (!owners_) owners_ = new std::atomic<int>(1);
  // Whoever gives up ownership orders what it did before by its own fetch_sub.
  owners_->fetch_add(1, std::memory_order_relaxed);
  socket other(descriptor_);
  other.owners_ = owners_;
  return other;
}

bool socket::is_last_owner() noexcept {
  if (!owners_) return true;
  // Releases our use of the descriptor to the last owner, which acquires that of all others here.
  if (owners_->fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
  delete owners_;
  return true;
}

void set_option(int descriptor, socket_option which, int value, const char* action) {
  if (auto error = set_native(descriptor, native(which, descriptor), &value, sizeof value))
    astd::detail::throw_failure(socket_failure(error, action, descriptor));
}

int get_option(int descriptor, socket_option which, const char* action) {
  const auto value = get_native(descriptor, native(which, descriptor));
  if (!value) astd::detail::throw_failure(socket_failure(value.error(), action, descriptor));
  return *value;
}

void set_linger(int descriptor, int seconds) {
  const ::linger value{seconds >= 0, seconds >= 0 ? seconds : 0};
  if (auto error = set_native(descriptor, {SOL_SOCKET, SO_LINGER}, &value, sizeof value))
    astd::detail::throw_failure(socket_failure(error, "set linger", descriptor));
}

int get_linger(int descriptor) {
  ::linger value{};
  unsigned size = sizeof value;
  operation op = make(opcode::get_option, descriptor);
  op.args.option = {SOL_SOCKET, SO_LINGER, &value, &size};
  if (auto error = carry_out(op)) astd::detail::throw_failure(socket_failure(error, "linger", descriptor));
  return value.l_onoff ? value.l_linger : -1;
}

int count_for_option(std::int64_t value) noexcept {
  if (value < 0) return -1;
  return value < INT_MAX ? static_cast<int>(value) : INT_MAX;
}

std::error_code take_error(int descriptor) {
  const int error = get_option(descriptor, socket_option::pending_error, "take error");
  return {error, std::system_category()};
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
