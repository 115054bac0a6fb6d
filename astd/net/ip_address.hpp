// IP addresses as plain values: an IPv4 address, an IPv6 address, and one that is either. They are read from and
// written as text, taken apart, classified, compared, hashed and formatted by fmt; no name is ever resolved here.
//
//   net::ip_address local = net::ipv4_address::loopback();
//   auto given = net::ip_address::parse(text);  // std::expected: "192.0.2.1", "2001:db8::1"
//   if (given && given->is_global()) co_await println("from {}", *given);
//
// All functions may be called from any thread: the types hold nothing but the address.
#pragma once

#include <fmt/core.h>

#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace astd::net {

class ip_address;
class ipv6_address;

/// An IPv4 address. Ordered as the number it is.
class ipv4_address {
 public:
  /// The size of an address in bits.
  static constexpr int bits = 32;

  static constexpr ipv4_address any() noexcept { return {}; }                           ///< 0.0.0.0
  static constexpr ipv4_address loopback() noexcept { return from_bits(0x7f000001); }   ///< 127.0.0.1
  static constexpr ipv4_address broadcast() noexcept { return from_bits(0xffffffff); }  ///< 255.255.255.255

  /// The unspecified address, 0.0.0.0.
  constexpr ipv4_address() noexcept = default;
  /// a.b.c.d
  constexpr ipv4_address(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) noexcept
      : bits_(std::uint32_t{a} << 24 | std::uint32_t{b} << 16 | std::uint32_t{c} << 8 | d) {}
  /// The octets in the order in which they are written (network byte order).
  constexpr explicit ipv4_address(const std::array<std::uint8_t, 4>& octets) noexcept
      : ipv4_address(octets[0], octets[1], octets[2], octets[3]) {}
  /// What `parse` reads; throws std::invalid_argument, whose message quotes the text.
  explicit ipv4_address(std::string_view text);

  /// The address whose value is `value` in the byte order of this machine: 0x7f000001 is 127.0.0.1.
  static constexpr ipv4_address from_bits(std::uint32_t value) noexcept {
    ipv4_address address;
    address.bits_ = value;
    return address;
  }
  /// Reads four decimal octets of 0 to 255, without leading zeros and with nothing before, between or after them
  /// but the three dots. Shorter, hexadecimal and octal forms are refused: other programs read them differently.
  /// Fails with address_errc::invalid_ipv4_address, which equals std::errc::invalid_argument.
  static std::expected<ipv4_address, std::error_code> parse(std::string_view text) noexcept;

  constexpr std::uint32_t to_bits() const noexcept { return bits_; }
  constexpr std::array<std::uint8_t, 4> octets() const noexcept {
    return {static_cast<std::uint8_t>(bits_ >> 24), static_cast<std::uint8_t>(bits_ >> 16),
            static_cast<std::uint8_t>(bits_ >> 8), static_cast<std::uint8_t>(bits_)};
  }
  /// "192.0.2.1"
  std::string to_string() const;

  constexpr bool is_unspecified() const noexcept { return bits_ == 0; }
  constexpr bool is_loopback() const noexcept { return bits_ >> 24 == 127; }  ///< 127.0.0.0/8
  /// RFC 1918: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16.
  constexpr bool is_private() const noexcept {
    return bits_ >> 24 == 10 || bits_ >> 20 == 0xac1 || bits_ >> 16 == 0xc0a8;
  }
  constexpr bool is_link_local() const noexcept { return bits_ >> 16 == 0xa9fe; }  ///< 169.254.0.0/16
  constexpr bool is_multicast() const noexcept { return bits_ >> 28 == 0xe; }      ///< 224.0.0.0/4
  constexpr bool is_broadcast() const noexcept { return bits_ == 0xffffffff; }
  /// RFC 5737: 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24.
  constexpr bool is_documentation() const noexcept {
    return bits_ >> 8 == 0xc00002 || bits_ >> 8 == 0xc63364 || bits_ >> 8 == 0xcb0071;
  }
  /// A unicast address in no block that IANA's registry of special-purpose addresses keeps from the public Internet
  /// (private, shared, loopback, link-local, documentation, benchmarking, protocol assignments, reserved).
  bool is_global() const noexcept;

  /// ::ffff:a.b.c.d, under which an IPv6 socket sees this address.
  constexpr ipv6_address to_ipv6_mapped() const noexcept;
  /// ::a.b.c.d, a form deprecated by RFC 4291.
  constexpr ipv6_address to_ipv6_compatible() const noexcept;

  friend constexpr bool operator==(ipv4_address, ipv4_address) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(ipv4_address, ipv4_address) noexcept = default;

 private:
  std::uint32_t bits_ = 0;
};

/// An IPv6 address. Ordered as the number it is. The scope of a link-local address is not part of it:
/// socket_address has it.
class ipv6_address {
 public:
  /// The size of an address in bits.
  static constexpr int bits = 128;

  static constexpr ipv6_address any() noexcept { return {}; }                    ///< ::
  static constexpr ipv6_address loopback() noexcept { return from_bits(0, 1); }  ///< ::1

  /// The unspecified address, ::.
  constexpr ipv6_address() noexcept = default;
  /// a:b:c:d:e:f:g:h
  constexpr ipv6_address(std::uint16_t a, std::uint16_t b, std::uint16_t c, std::uint16_t d, std::uint16_t e,
                         std::uint16_t f, std::uint16_t g, std::uint16_t h) noexcept
      : high_(join(a, b, c, d)), low_(join(e, f, g, h)) {}
  /// The segments in the order in which they are written, each in the byte order of this machine.
  constexpr explicit ipv6_address(const std::array<std::uint16_t, 8>& s) noexcept
      : ipv6_address(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]) {}
  /// The octets in the order in which they are sent (network byte order).
  constexpr explicit ipv6_address(const std::array<std::uint8_t, 16>& octets) noexcept {
    for (std::size_t i = 0; i < 8; ++i) {
      high_ = high_ << 8 | octets[i];
      low_ = low_ << 8 | octets[i + 8];
    }
  }
  /// What `parse` reads; throws std::invalid_argument, whose message quotes the text.
  explicit ipv6_address(std::string_view text);

  /// The upper and the lower 64 bits, in the byte order of this machine: from_bits(0, 1) is ::1.
  static constexpr ipv6_address from_bits(std::uint64_t high, std::uint64_t low) noexcept {
    ipv6_address address;
    address.high_ = high;
    address.low_ = low;
    return address;
  }
  /// Reads the three forms of RFC 4291, 2.2: eight groups of one to four hexadecimal digits; "::" once for one or
  /// more groups of zeros; the last two groups as an IPv4 address. No brackets, scope or prefix length.
  /// Fails with address_errc::invalid_ipv6_address, which equals std::errc::invalid_argument.
  static std::expected<ipv6_address, std::error_code> parse(std::string_view text) noexcept;

  /// The upper and the lower 64 bits, as from_bits takes them.
  constexpr std::array<std::uint64_t, 2> to_bits() const noexcept { return {high_, low_}; }
  constexpr std::array<std::uint16_t, 8> segments() const noexcept {
    std::array<std::uint16_t, 8> result{};
    for (std::size_t i = 0; i < 8; ++i) {
      result[i] = static_cast<std::uint16_t>((i < 4 ? high_ : low_) >> (48 - 16 * (i % 4)));
    }
    return result;
  }
  constexpr std::array<std::uint8_t, 16> octets() const noexcept {
    std::array<std::uint8_t, 16> result{};
    for (std::size_t i = 0; i < 16; ++i) {
      result[i] = static_cast<std::uint8_t>((i < 8 ? high_ : low_) >> (56 - 8 * (i % 8)));
    }
    return result;
  }
  /// The canonical form of RFC 5952: lower case, no leading zeros, "::" for the first longest run of two or more zero
  /// groups. An IPv4-mapped address ends in dotted form: "::ffff:192.0.2.1".
  std::string to_string() const;

  constexpr bool is_unspecified() const noexcept { return (high_ | low_) == 0; }
  /// ::1 alone. ::ffff:127.0.0.1 is not it: see to_canonical().
  constexpr bool is_loopback() const noexcept { return high_ == 0 && low_ == 1; }
  constexpr bool is_multicast() const noexcept { return high_ >> 56 == 0xff; }          ///< ff00::/8
  constexpr bool is_link_local() const noexcept { return high_ >> 54 == 0xfe80 >> 6; }  ///< unicast, fe80::/10
  constexpr bool is_unique_local() const noexcept { return high_ >> 57 == 0xfc >> 1; }  ///< fc00::/7
  /// RFC 3849 and RFC 9637: 2001:db8::/32, 3fff::/20.
  constexpr bool is_documentation() const noexcept { return high_ >> 32 == 0x20010db8 || high_ >> 44 == 0x3fff0; }
  /// An allocated unicast address (2000::/3) in no block that IANA's registry of special-purpose addresses keeps from
  /// the public Internet, or the NAT64 form (64:ff9b::/96) of an IPv4 address that is global.
  bool is_global() const noexcept;

  /// The IPv4 address inside ::ffff:a.b.c.d, else nothing.
  constexpr std::optional<ipv4_address> to_ipv4_mapped() const noexcept {
    if (high_ != 0 || low_ >> 32 != 0xffff) return std::nullopt;
    return ipv4_address::from_bits(static_cast<std::uint32_t>(low_));
  }
  /// The IPv4 address inside ::ffff:a.b.c.d or the deprecated ::a.b.c.d (so that ::1 gives 0.0.0.1), else nothing.
  constexpr std::optional<ipv4_address> to_ipv4() const noexcept {
    if (high_ != 0 || (low_ >> 32 != 0xffff && low_ >> 32 != 0)) return std::nullopt;
    return ipv4_address::from_bits(static_cast<std::uint32_t>(low_));
  }
  /// The IPv4 address if this is an IPv4-mapped one, else this address.
  constexpr ip_address to_canonical() const noexcept;

  friend constexpr bool operator==(const ipv6_address&, const ipv6_address&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const ipv6_address&, const ipv6_address&) noexcept = default;

 private:
  static constexpr std::uint64_t join(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) noexcept {
    return a << 48 | b << 32 | c << 16 | d;
  }

  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

/// An IPv4 or an IPv6 address. Every IPv4 address is ordered before every IPv6 address, and none equals one: compare
/// to_canonical() where ::ffff:192.0.2.1 and 192.0.2.1 are to be the same.
class ip_address {
 public:
  /// The unspecified IPv4 address, 0.0.0.0.
  constexpr ip_address() noexcept = default;
  constexpr ip_address(ipv4_address address) noexcept : bits_(ipv6_address::from_bits(0, address.to_bits())) {}
  constexpr ip_address(const ipv6_address& address) noexcept : is_ipv6_(true), bits_(address) {}
  /// What `parse` reads; throws std::invalid_argument, whose message quotes the text.
  explicit ip_address(std::string_view text);

  /// Reads what ipv4_address::parse or ipv6_address::parse reads.
  /// Fails with address_errc::invalid_ip_address, which equals std::errc::invalid_argument.
  static std::expected<ip_address, std::error_code> parse(std::string_view text) noexcept;

  constexpr bool is_ipv4() const noexcept { return !is_ipv6_; }
  constexpr bool is_ipv6() const noexcept { return is_ipv6_; }
  /// The address if it is an IPv4 address, else nothing: an IPv4-mapped IPv6 address is not converted.
  constexpr std::optional<ipv4_address> as_ipv4() const noexcept {
    if (is_ipv6_) return std::nullopt;
    return v4();
  }
  /// The address if it is an IPv6 address, else nothing.
  constexpr std::optional<ipv6_address> as_ipv6() const noexcept {
    if (!is_ipv6_) return std::nullopt;
    return bits_;
  }
  /// The IPv4 address if this is an IPv4-mapped IPv6 address, else this address.
  constexpr ip_address to_canonical() const noexcept { return is_ipv6_ ? bits_.to_canonical() : *this; }
  std::string to_string() const;

  // As the address itself says.
  constexpr bool is_unspecified() const noexcept { return bits_.is_unspecified(); }
  constexpr bool is_loopback() const noexcept { return is_ipv6_ ? bits_.is_loopback() : v4().is_loopback(); }
  constexpr bool is_multicast() const noexcept { return is_ipv6_ ? bits_.is_multicast() : v4().is_multicast(); }
  constexpr bool is_link_local() const noexcept { return is_ipv6_ ? bits_.is_link_local() : v4().is_link_local(); }
  constexpr bool is_documentation() const noexcept {
    return is_ipv6_ ? bits_.is_documentation() : v4().is_documentation();
  }
  bool is_global() const noexcept { return is_ipv6_ ? bits_.is_global() : v4().is_global(); }

  friend constexpr bool operator==(const ip_address&, const ip_address&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const ip_address&, const ip_address&) noexcept = default;

 private:
  constexpr ipv4_address v4() const noexcept {
    return ipv4_address::from_bits(static_cast<std::uint32_t>(bits_.to_bits()[1]));
  }

  bool is_ipv6_ = false;
  ipv6_address bits_;  // an IPv4 address is in the lower 32 bits
};

constexpr ipv6_address ipv4_address::to_ipv6_mapped() const noexcept {
  return ipv6_address::from_bits(0, std::uint64_t{0xffff} << 32 | bits_);
}

constexpr ipv6_address ipv4_address::to_ipv6_compatible() const noexcept {
  return ipv6_address::from_bits(0, bits_);
}

constexpr ip_address ipv6_address::to_canonical() const noexcept {
  if (auto mapped = to_ipv4_mapped()) return *mapped;
  return *this;
}

namespace detail {

/// A hash of `value` and what was hashed before it. Spreads addresses that differ in few bits over all of the result;
/// it is not keyed.
constexpr std::uint64_t hash_mix(std::uint64_t before, std::uint64_t value) noexcept {
  std::uint64_t x = (before ^ value) + 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

template <class T>
concept address_text =
    std::same_as<T, ipv4_address> || std::same_as<T, ipv6_address> || std::same_as<T, ip_address>;

/// Formats an address as the text it is: width, fill and alignment as for a string. Derives privately so that a
/// formatted range of addresses does not quote them.
class text_formatter : private fmt::formatter<fmt::string_view> {
 public:
  constexpr fmt::format_parse_context::iterator parse(fmt::format_parse_context& context) {
    // What is parsed at run time is not compiled into every user's file.
    if consteval {
      return fmt::formatter<fmt::string_view>::parse(context);
    } else {
      return parse_again(context);
    }
  }

 protected:
  fmt::format_context::iterator write(std::string_view text, fmt::format_context& context) const;

 private:
  fmt::format_parse_context::iterator parse_again(fmt::format_parse_context& context);
};

}  // namespace detail

template <class Traits, detail::address_text T>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& to, const T& address) {
  return to << address.to_string();
}

}  // namespace astd::net

template <>
struct std::hash<astd::net::ipv4_address> {
  std::size_t operator()(astd::net::ipv4_address address) const noexcept {
    return static_cast<std::size_t>(astd::net::detail::hash_mix(0, address.to_bits()));
  }
};

template <>
struct std::hash<astd::net::ipv6_address> {
  std::size_t operator()(const astd::net::ipv6_address& address) const noexcept {
    auto [high, low] = address.to_bits();
    return static_cast<std::size_t>(astd::net::detail::hash_mix(astd::net::detail::hash_mix(0, high), low));
  }
};

template <>
struct std::hash<astd::net::ip_address> {
  std::size_t operator()(const astd::net::ip_address& address) const noexcept {
    if (auto v6 = address.as_ipv6()) return std::hash<astd::net::ipv6_address>{}(*v6);
    return std::hash<astd::net::ipv4_address>{}(*address.as_ipv4());
  }
};

template <>
struct fmt::formatter<astd::net::ipv4_address> : astd::net::detail::text_formatter {
  format_context::iterator format(const astd::net::ipv4_address& address, format_context& context) const;
};

template <>
struct fmt::formatter<astd::net::ipv6_address> : astd::net::detail::text_formatter {
  format_context::iterator format(const astd::net::ipv6_address& address, format_context& context) const;
};

template <>
struct fmt::formatter<astd::net::ip_address> : astd::net::detail::text_formatter {
  format_context::iterator format(const astd::net::ip_address& address, format_context& context) const;
};
