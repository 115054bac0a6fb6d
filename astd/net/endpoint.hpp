// What functions take that want to know where to go or where to be: everything that names socket addresses.
//
//   co_await net::tcp_stream::connect("example.org:443");
//   co_await net::tcp_stream::connect({"example.org", 443});
//   co_await net::tcp_listener::bind({net::ipv6_address::any(), 443});
//   co_await net::tcp_stream::connect(addresses);   // std::vector<net::socket_address>: each in turn
#pragma once

#include <astd/net/host_port.hpp>
#include <astd/net/socket_address.hpp>

#include <concepts>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace astd::net {
namespace detail {

template <class R>
concept address_range = requires(const R& range) {
  { *std::begin(range) } -> std::convertible_to<const socket_address&>;
  std::end(range);
};

}  // namespace detail

/// Owns what it was made from. Nothing is checked or looked up before it is used: whatever is wrong with it, the
/// operation that takes it reports.
class endpoint {
 public:
  /// "host:port" with a name or an address (IPv6 in brackets) for the host, as host_port::parse reads it.
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  endpoint(const Text& host_and_port) : text_(std::string_view(host_and_port)) {}
  /// A name or an address; IPv6 without brackets. A port out of range is reported as one in a text is.
  endpoint(std::string_view host, long long port) : text_(host) {
    if (port >= 0 && port <= UINT16_MAX) {
      port_ = static_cast<std::uint16_t>(port);
      what_ = kind::host_and_port;
    } else {
      text_ = (text_.find(':') == std::string::npos ? text_ : '[' + text_ + ']') + ':' + std::to_string(port);
    }
  }
  endpoint(const host_port& place) : endpoint(place.host, place.port) {}
  endpoint(const ip_address& ip, long long port) : endpoint(ip.to_string(), port) {
    if (what_ != kind::host_and_port) return;
    addresses_.assign(1, socket_address(ip, port_));
    what_ = kind::addresses;
  }
  endpoint(const socket_address& address) : addresses_(1, address), what_(kind::addresses) {}
  /// A host (text or address) and a port.
  template <class Host, class Port>
    requires std::constructible_from<endpoint, const Host&, const Port&>
  endpoint(const std::pair<Host, Port>& place) : endpoint(place.first, place.second) {}
  /// Several addresses, to be tried in this order.
  template <detail::address_range R>
    requires(!std::convertible_to<const R&, std::string_view>)
  endpoint(const R& addresses) : addresses_(std::begin(addresses), std::end(addresses)), what_(kind::addresses) {}

  /// The host and port as they were given, "example.org:443"; the first address if addresses were given.
  [[nodiscard]] std::string to_string() const;
  /// Whether a host was given, be it a name or an address, rather than socket addresses.
  [[nodiscard]] bool has_host() const noexcept { return what_ != kind::addresses; }

 private:
  friend class address_lookup;
  enum class kind : unsigned char { text, host_and_port, addresses };

  std::string text_;
  std::vector<socket_address> addresses_;
  std::uint16_t port_ = 0;
  kind what_ = kind::text;
};

}  // namespace astd::net
