// Why a text is not an address, as std::error_code values: `parse` of the address types and of host_port fail with
// them. Each equals std::errc::invalid_argument, save unknown_interface, which equals std::errc::no_such_device.
//
//   auto peer = net::socket_address::parse(text);
//   if (!peer && peer.error() == net::address_errc::missing_port) ...
#pragma once

#include <system_error>

namespace astd::net {

enum class address_errc {
  invalid_ipv4_address = 1,
  invalid_ipv6_address,
  invalid_ip_address,
  missing_host,         // nothing before the colon or between the brackets
  invalid_host,         // a space or control character in a host name
  missing_port,         // no colon, or nothing after it
  invalid_port,         // something else than decimal digits
  port_out_of_range,    // above 65535
  unbalanced_brackets,  // one bracket without the other, or in the wrong place
  too_many_colons,      // an IPv6 address with a port needs brackets
  invalid_scope,        // nothing usable after the % of an IPv6 address, or a number above 2^32 - 1
  unknown_interface,    // this machine has no network interface of the name after the %
};

const std::error_category& address_category() noexcept;
std::error_code make_error_code(address_errc error) noexcept;

}  // namespace astd::net

template <>
struct std::is_error_code_enum<astd::net::address_errc> : std::true_type {};
