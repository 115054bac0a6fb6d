#include <astd/base/config.hpp>
#include <astd/net/address_text.hpp>
#include <astd/net/ip_address.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace astd::net {
namespace {

/// Reads an unsigned number that is the whole text, in at most `longest` digits.
template <class T>
std::optional<T> parse_number(std::string_view text, std::size_t longest, int base) noexcept {
  T value = 0;
  const char* end = text.data() + text.size();
  if (text.empty() || text.size() > longest) return std::nullopt;
  auto [rest, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

std::optional<ipv4_address> parse_ipv4(std::string_view text) noexcept {
  std::array<std::uint8_t, 4> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    // The last octet is all the rest: a dot in it is no digit.
    std::string_view field = i < 3 ? text.substr(0, text.find('.')) : text;
    if (field.size() > 1 && field.front() == '0') return std::nullopt;
    auto octet = parse_number<std::uint8_t>(field, 3, 10);
    if (!octet) return std::nullopt;
    octets[i] = *octet;
    if (i < 3) {
      if (field.size() == text.size()) return std::nullopt;
      text.remove_prefix(field.size() + 1);
    }
  }
  return ipv4_address(octets);
}

std::optional<ipv6_address> parse_ipv6(std::string_view text) noexcept {
  std::array<std::uint16_t, 8> segments{};
  std::size_t size = 0;            // of the segments read
  std::optional<std::size_t> gap;  // how many of them stand before the "::"
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  // Each turn begins where a group has to: at the start, after ":", or after "::", where the text may also end.
  while (!text.empty() || gap != size) {
    std::string_view field = text.substr(0, text.find(':'));
    if (size == segments.size()) return std::nullopt;
    if (field.find('.') != std::string_view::npos) {
      auto v4 = field.size() == text.size() && size <= 6 ? parse_ipv4(field) : std::nullopt;
      if (!v4) return std::nullopt;
      segments[size++] = static_cast<std::uint16_t>(v4->to_bits() >> 16);
      segments[size++] = static_cast<std::uint16_t>(v4->to_bits());
      break;
    }
    auto segment = parse_number<std::uint16_t>(field, 4, 16);
    if (!segment) return std::nullopt;
    segments[size++] = *segment;
    text.remove_prefix(field.size());
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.starts_with(':')) {
      if (gap) return std::nullopt;
      gap = size;
      text.remove_prefix(1);
    }
  }
  // "::" stands for at least one group.
  if (gap ? size == segments.size() : size != segments.size()) return std::nullopt;
  if (gap) {
    std::size_t behind = size - *gap;
    std::copy_backward(segments.begin() + *gap, segments.begin() + size, segments.end());
    std::fill(segments.begin() + *gap, segments.end() - behind, std::uint16_t{0});
  }
  return ipv6_address(segments);
}

template <class T>
std::expected<T, std::error_code> value_or_error(const std::optional<T>& value, address_errc error) noexcept {
  if (!value) return std::unexpected(make_error_code(error));
  return *value;
}

struct ipv4_block {
  ipv4_address first;
  int length;
};

struct ipv6_block {
  ipv6_address first;  // its lower 64 bits are 0
  int length;          // at most 64
};

bool contains(const ipv4_block& block, ipv4_address address) noexcept {
  return (block.first.to_bits() ^ address.to_bits()) >> (32 - block.length) == 0;
}

bool contains(const ipv6_block& block, const ipv6_address& address) noexcept {
  return (block.first.to_bits()[0] ^ address.to_bits()[0]) >> (64 - block.length) == 0;
}

// IANA's registries of special-purpose addresses, blocks that are not (or not said to be) globally reachable.
// Multicast is not in the registries.
constexpr ipv4_block ipv4_not_global[] = {
    {{0, 0, 0, 0}, 8},        // "this network"
    {{10, 0, 0, 0}, 8},       // private
    {{100, 64, 0, 0}, 10},    // shared with a carrier's NAT
    {{127, 0, 0, 0}, 8},      // loopback
    {{169, 254, 0, 0}, 16},   // link-local
    {{172, 16, 0, 0}, 12},    // private
    {{192, 0, 0, 0}, 24},     // protocol assignments
    {{192, 0, 2, 0}, 24},     // documentation
    {{192, 88, 99, 0}, 24},   // 6to4 relays, withdrawn
    {{192, 168, 0, 0}, 16},   // private
    {{198, 18, 0, 0}, 15},    // benchmarking
    {{198, 51, 100, 0}, 24},  // documentation
    {{203, 0, 113, 0}, 24},   // documentation
    {{224, 0, 0, 0}, 4},      // multicast
    {{240, 0, 0, 0}, 4},      // reserved; broadcast
};
constexpr ipv4_address ipv4_global[] = {
    {192, 0, 0, 9},   // port control protocol
    {192, 0, 0, 10},  // TURN
};

constexpr ipv6_block ipv6_not_global[] = {
    {{0x2001, 0, 0, 0, 0, 0, 0, 0}, 23},      // protocol assignments, Teredo, benchmarking
    {{0x2001, 0xdb8, 0, 0, 0, 0, 0, 0}, 32},  // documentation
    {{0x2002, 0, 0, 0, 0, 0, 0, 0}, 16},      // 6to4
    {{0x3fff, 0, 0, 0, 0, 0, 0, 0}, 20},      // documentation
};
constexpr ipv6_block ipv6_global[] = {
    {{0x2001, 3, 0, 0, 0, 0, 0, 0}, 32},      // AMT
    {{0x2001, 4, 0x112, 0, 0, 0, 0, 0}, 48},  // AS112
    {{0x2001, 0x20, 0, 0, 0, 0, 0, 0}, 28},   // ORCHIDv2
    {{0x2001, 0x30, 0, 0, 0, 0, 0, 0}, 28},   // drone remote identification
};
constexpr ipv6_address ipv6_global_hosts[] = {
    {0x2001, 1, 0, 0, 0, 0, 0, 1},  // port control protocol
    {0x2001, 1, 0, 0, 0, 0, 0, 2},  // TURN
    {0x2001, 1, 0, 0, 0, 0, 0, 3},  // service registration
};
constexpr ipv6_block ipv6_unicast = {{0x2000, 0, 0, 0, 0, 0, 0, 0}, 3};

}  // namespace

bool ipv4_address::is_global() const noexcept {
  auto within = [this](const ipv4_block& block) { return contains(block, *this); };
  return std::ranges::find(ipv4_global, *this) != std::end(ipv4_global) ||
         std::ranges::none_of(ipv4_not_global, within);
}

bool ipv6_address::is_global() const noexcept {
  auto within = [this](const ipv6_block& block) { return contains(block, *this); };
  // RFC 6052, 3.1: the NAT64 prefix stands for global IPv4 addresses only.
  if (high_ == 0x0064ff9b'00000000 && low_ >> 32 == 0) {
    return ipv4_address::from_bits(static_cast<std::uint32_t>(low_)).is_global();
  }
  if (!within(ipv6_unicast)) return false;
  return std::ranges::any_of(ipv6_global, within) ||
         std::ranges::find(ipv6_global_hosts, *this) != std::end(ipv6_global_hosts) ||
         std::ranges::none_of(ipv6_not_global, within);
}

std::expected<ipv4_address, std::error_code> ipv4_address::parse(std::string_view text) noexcept {
  return value_or_error(parse_ipv4(text), address_errc::invalid_ipv4_address);
}

std::expected<ipv6_address, std::error_code> ipv6_address::parse(std::string_view text) noexcept {
  return value_or_error(parse_ipv6(text), address_errc::invalid_ipv6_address);
}

std::expected<ip_address, std::error_code> ip_address::parse(std::string_view text) noexcept {
  if (auto v4 = parse_ipv4(text)) return *v4;
  if (auto v6 = parse_ipv6(text)) return *v6;
  return std::unexpected(make_error_code(address_errc::invalid_ip_address));
}

ipv4_address::ipv4_address(std::string_view text) : ipv4_address(detail::value_or_throw(parse(text), text)) {}
ipv6_address::ipv6_address(std::string_view text) : ipv6_address(detail::value_or_throw(parse(text), text)) {}
ip_address::ip_address(std::string_view text) : ip_address(detail::value_or_throw(parse(text), text)) {}

std::string ipv4_address::to_string() const {
  char text[detail::max_ipv4_text];
  return {text, detail::write(text, *this)};
}

std::string ipv6_address::to_string() const {
  char text[detail::max_ipv6_text];
  return {text, detail::write(text, *this)};
}

std::string ip_address::to_string() const {
  char text[detail::max_ipv6_text];
  return {text, detail::write(text, *this)};
}

ASTD_FALSE_OVERFLOW_BEGIN
fmt::format_parse_context::iterator detail::text_formatter::parse_again(fmt::format_parse_context& context) {
  return fmt::formatter<fmt::string_view>::parse(context);
}
ASTD_FALSE_OVERFLOW_END

fmt::format_context::iterator detail::text_formatter::write(std::string_view text,
                                                            fmt::format_context& context) const {
  return fmt::formatter<fmt::string_view>::format({text.data(), text.size()}, context);
}

}  // namespace astd::net

fmt::format_context::iterator fmt::formatter<astd::net::ipv4_address>::format(
    const astd::net::ipv4_address& address, format_context& context) const {
  char text[astd::net::detail::max_ipv4_text];
  return write({text, astd::net::detail::write(text, address)}, context);
}

fmt::format_context::iterator fmt::formatter<astd::net::ipv6_address>::format(
    const astd::net::ipv6_address& address, format_context& context) const {
  char text[astd::net::detail::max_ipv6_text];
  return write({text, astd::net::detail::write(text, address)}, context);
}

fmt::format_context::iterator fmt::formatter<astd::net::ip_address>::format(const astd::net::ip_address& address,
                                                                            format_context& context) const {
  char text[astd::net::detail::max_ipv6_text];
  return write({text, astd::net::detail::write(text, address)}, context);
}
