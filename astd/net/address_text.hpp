// Internal: what the parsers and printers of addresses share.
#pragma once

#include <astd/net/address_error.hpp>
#include <astd/net/ip_address.hpp>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>
#include <system_error>
#include <utility>

namespace astd::net::detail {

/// The longest text of each kind, without a terminator.
inline constexpr std::size_t max_ipv4_text = 15;    // 255.255.255.255
inline constexpr std::size_t max_ipv6_text = 39;    // eight groups of four
inline constexpr std::size_t max_socket_text = 58;  // [ipv6%4294967295]:65535

/// Write an address to `out`, which has room for the longest text of its kind; give back the end of what was written.
char* write(char* out, ipv4_address address) noexcept;
char* write(char* out, const ipv6_address& address) noexcept;
char* write(char* out, const ip_address& address) noexcept;

/// "host:port" or "[host]:port" taken apart. `host` lies in the text, is not empty and holds neither bracket nor, if it
/// had no brackets, colon; nothing else is known about it.
struct split_text {
  std::string_view host;
  std::uint16_t port;
  bool bracketed;
};
std::expected<split_text, address_errc> split_port(std::string_view text) noexcept;

/// "v6" or "v6%scope" taken apart. `scope` lies in the text and is empty if there is none; it has no white space, control
/// character, percent sign or slash.
struct scoped_text {
  ipv6_address address;
  std::string_view scope;
};
std::expected<scoped_text, address_errc> parse_scoped(std::string_view text) noexcept;

/// Whether an ASCII space or control character, a zero byte among them, is in the text.
bool has_space_or_control(std::string_view text) noexcept;

/// Whether a host can only be meant as an IPv4 address: its last label is a number, decimal or hexadecimal (the rule of
/// the URL standard). The system's resolver would take "127.1" or "0x7f000001" for addresses where others see a name.
bool ends_in_number(std::string_view host) noexcept;

/// Reads an unsigned decimal number that is the whole text. Leading zeros are allowed.
/// Fails with std::errc::invalid_argument or std::errc::result_out_of_range.
std::expected<std::uint32_t, std::errc> parse_decimal(std::string_view text) noexcept;

/// Throws std::invalid_argument with the message of `error` and the text, shortened if it is very long.
/// For a message: cut if it is long, and without control characters.
[[nodiscard]] std::string in_quotes(std::string_view text);
[[noreturn]] void throw_invalid(std::error_code error, std::string_view text);

/// The value, or throw_invalid: what the constructors from text do with the outcome of `parse`.
template <class T>
T value_or_throw(const std::expected<T, std::error_code>& parsed, std::string_view text) {
  if (!parsed) throw_invalid(parsed.error(), text);
  return *parsed;
}

}  // namespace astd::net::detail
