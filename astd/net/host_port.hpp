// A host and a port as users write them, "example.org:443", taken apart but not resolved: net::lookup_host does that.
//
//   auto server = net::host_port::parse(argument);
//   if (!server) co_await eprintln("{}: {}", argument, server.error().message());
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <system_error>

namespace astd::net {

struct host_port {
  std::string host;  ///< a name or an address; an IPv6 address without brackets, with its scope if it has one
  std::uint16_t port = 0;

  /// Splits "name:port", "a.b.c.d:port", "[v6]:port" and "[v6%scope]:port". The port is decimal: services have no names
  /// here. Brackets hold an IPv6 address and nothing else; whether a name can exist is the resolver's to say, but it has
  /// no white space, control characters or brackets. Fails with one of address_errc, which says what is wrong; each
  /// equals std::errc::invalid_argument. Throws nothing but std::bad_alloc.
  static std::expected<host_port, std::error_code> parse(std::string_view text);

  friend bool operator==(const host_port&, const host_port&) = default;
};

}  // namespace astd::net
