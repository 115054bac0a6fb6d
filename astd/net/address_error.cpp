#include <astd/net/address_error.hpp>

#include <string>

namespace astd::net {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "astd.address"; }

  std::string message(int value) const override {
    switch (static_cast<address_errc>(value)) {
      case address_errc::invalid_ipv4_address: return "invalid IPv4 address";
      case address_errc::invalid_ipv6_address: return "invalid IPv6 address";
      case address_errc::invalid_ip_address: return "invalid IP address";
      case address_errc::missing_host: return "missing host";
      case address_errc::invalid_host: return "invalid character in host";
      case address_errc::missing_port: return "missing port";
      case address_errc::invalid_port: return "port is not a decimal number";
      case address_errc::port_out_of_range: return "port above 65535";
      case address_errc::unbalanced_brackets: return "unbalanced brackets";
      case address_errc::too_many_colons: return "too many colons (an IPv6 address with a port needs brackets)";
      case address_errc::invalid_scope: return "invalid scope of an IPv6 address";
      case address_errc::unknown_interface: return "no such network interface";
    }
    return "unknown address error";
  }

  std::error_condition default_error_condition(int value) const noexcept override {
    if (value == static_cast<int>(address_errc::unknown_interface)) return std::errc::no_such_device;
    return std::errc::invalid_argument;
  }
};

// An error code may be looked at after the static objects are gone.
union storage {
  constexpr storage() : instance() {}
  ~storage() {}
  category instance;
};
constinit storage never_destroyed;

}  // namespace

const std::error_category& address_category() noexcept { return never_destroyed.instance; }

std::error_code make_error_code(address_errc error) noexcept {
  return {static_cast<int>(error), address_category()};
}

}  // namespace astd::net
