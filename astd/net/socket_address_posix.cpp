#include <astd/net/socket_address_posix.hpp>

#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace astd::net::detail {
namespace {

/// Address structures are copied, never aliased: what the kernel or a caller wrote is bytes.
template <class Native>
socklen_t store(const Native& from, sockaddr_storage& to) noexcept {
  std::memcpy(&to, &from, sizeof from);
  return sizeof from;
}

template <class Native>
std::optional<Native> load(const char* from, socklen_t size) noexcept {
  Native result;
  if (size < sizeof result) return std::nullopt;
  std::memcpy(&result, from, sizeof result);
  return result;
}

}  // namespace

socklen_t to_native(const socket_address& address, sockaddr_storage& native) noexcept {
  if (auto v4 = address.ip().as_ipv4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port());
    in.sin_addr.s_addr = htonl(v4->to_bits());
    return store(in, native);
  }
  auto octets = address.ip().as_ipv6()->octets();
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(address.port());
  in6.sin6_flowinfo = htonl(address.flow_info());
  static_assert(sizeof in6.sin6_addr == sizeof octets);
  std::memcpy(&in6.sin6_addr, octets.data(), octets.size());
  in6.sin6_scope_id = address.scope_id();
  return store(in6, native);
}

std::optional<socket_address> from_native(const sockaddr* native, socklen_t size) noexcept {
  // As bytes: a sockaddr would have to be aligned.
  const char* bytes = reinterpret_cast<const char*>(native);
  sa_family_t family;
  if (size < offsetof(sockaddr, sa_family) + sizeof family) return std::nullopt;
  std::memcpy(&family, bytes + offsetof(sockaddr, sa_family), sizeof family);
  if (family == AF_INET) {
    auto in = load<sockaddr_in>(bytes, size);
    if (!in) return std::nullopt;
    return socket_address(ipv4_address::from_bits(ntohl(in->sin_addr.s_addr)), ntohs(in->sin_port));
  }
  if (family == AF_INET6) {
    auto in6 = load<sockaddr_in6>(bytes, size);
    if (!in6) return std::nullopt;
    std::array<std::uint8_t, 16> octets;
    std::memcpy(octets.data(), &in6->sin6_addr, octets.size());
    return socket_address(ipv6_address(octets), ntohs(in6->sin6_port), ntohl(in6->sin6_flowinfo),
                          in6->sin6_scope_id);
  }
  return std::nullopt;
}

}  // namespace astd::net::detail
