// Where a socket is: an IP address and a port, for IPv6 with flow information and the scope of a link-local address.
// A plain value: it is read from and written as text, compared, hashed and formatted by fmt; no name is resolved.
//
//   auto listener = co_await net::tcp_listener::bind({net::ipv4_address::any(), 8080});
//   auto given = net::socket_address::parse(text);  // "192.0.2.1:80", "[2001:db8::1]:80", "[fe80::1%eth0]:80"
//   if (given) co_await println("port {} of {}", given->port(), given->ip());
#pragma once

#include <astd/net/ip_address.hpp>

namespace astd::net {

/// An IP address and a port. Ordered by address, port, flow information, scope; equal if all four are.
/// May be used from any thread: it holds nothing else.
class socket_address {
 public:
  /// 0.0.0.0:0
  constexpr socket_address() noexcept = default;
  constexpr socket_address(const ip_address& ip, std::uint16_t port) noexcept : ip_(ip), port_(port) {}
  /// `flow_info` and `scope_id` in the byte order of this machine; a scope id is the index of a network interface.
  constexpr socket_address(const ipv6_address& ip, std::uint16_t port, std::uint32_t flow_info,
                           std::uint32_t scope_id) noexcept
      : ip_(ip), port_(port), flow_info_(flow_info), scope_id_(scope_id) {}
  /// What `parse` reads; throws std::invalid_argument, whose message says what is wrong and quotes the text.
  explicit socket_address(std::string_view text);

  /// Reads "a.b.c.d:port", "[v6]:port" and "[v6%scope]:port", addresses as ipv4_address::parse and ipv6_address::parse
  /// read them. The port is decimal; the scope is a decimal index or the name of a network interface of this machine,
  /// which the system is asked for. Fails with one of address_errc, each equal to std::errc::invalid_argument except
  /// unknown_interface, or with what kept the system from looking for the interface.
  static std::expected<socket_address, std::error_code> parse(std::string_view text) noexcept;

  constexpr const ip_address& ip() const noexcept { return ip_; }
  constexpr std::uint16_t port() const noexcept { return port_; }
  /// Traffic class and flow label as sent to IPv6 peers; 0 for IPv4.
  constexpr std::uint32_t flow_info() const noexcept { return flow_info_; }
  /// The index of the network interface on which a link-local IPv6 address is meant; 0 if none is, and for IPv4.
  constexpr std::uint32_t scope_id() const noexcept { return scope_id_; }
  constexpr bool is_ipv4() const noexcept { return ip_.is_ipv4(); }
  constexpr bool is_ipv6() const noexcept { return ip_.is_ipv6(); }

  /// Replaces the address; flow information and scope stay if both addresses are IPv6, else they become 0.
  constexpr void set_ip(const ip_address& ip) noexcept {
    if (!is_ipv6() || !ip.is_ipv6()) flow_info_ = scope_id_ = 0;
    ip_ = ip;
  }
  constexpr void set_port(std::uint16_t port) noexcept { port_ = port; }
  /// Does nothing on an IPv4 address, which has no flow information.
  constexpr void set_flow_info(std::uint32_t flow_info) noexcept {
    if (is_ipv6()) flow_info_ = flow_info;
  }
  /// Does nothing on an IPv4 address, which has no scope.
  constexpr void set_scope_id(std::uint32_t scope_id) noexcept {
    if (is_ipv6()) scope_id_ = scope_id;
  }

  /// "192.0.2.1:80", "[2001:db8::1]:80", or, with a scope, "[fe80::1%2]:80": the index, never the name, so that the
  /// text does not depend on the machine's interfaces. Flow information is not written.
  std::string to_string() const;

  friend constexpr bool operator==(const socket_address&, const socket_address&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const socket_address&,
                                                    const socket_address&) noexcept = default;

 private:
  ip_address ip_;
  std::uint16_t port_ = 0;
  std::uint32_t flow_info_ = 0;  // 0 for IPv4, as is scope_id_
  std::uint32_t scope_id_ = 0;
};

template <class Traits, std::same_as<socket_address> A>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& to, const A& address) {
  return to << address.to_string();
}

}  // namespace astd::net

template <>
struct std::hash<astd::net::socket_address> {
  std::size_t operator()(const astd::net::socket_address& address) const noexcept {
    using astd::net::detail::hash_mix;
    std::uint64_t scope = std::uint64_t{address.flow_info()} << 32 | address.scope_id();
    std::uint64_t ip = std::hash<astd::net::ip_address>{}(address.ip());
    return static_cast<std::size_t>(hash_mix(hash_mix(ip, address.port()), scope));
  }
};

template <>
struct fmt::formatter<astd::net::socket_address> : astd::net::detail::text_formatter {
  format_context::iterator format(const astd::net::socket_address& address, format_context& context) const;
};
