#include <astd/base/error.hpp>
#include <astd/net/address_text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace astd::net::detail {
namespace {

struct zero_run {
  std::size_t begin = 0;
  std::size_t size = 0;
};

// RFC 5952, 4.2: the longest run of zero groups, the first of equals; one group alone is not worth a "::".
zero_run longest_zero_run(const std::array<std::uint16_t, 8>& segments) noexcept {
  zero_run longest;
  zero_run current;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    current = segments[i] != 0 ? zero_run{i + 1, 0} : zero_run{current.begin, current.size + 1};
    if (current.size > longest.size) longest = current;
  }
  return longest.size >= 2 ? longest : zero_run{};
}

bool is_control(char c) noexcept { return (c >= 0 && c < ' ') || c == 0x7f; }

}  // namespace

char* write(char* out, ipv4_address address) noexcept {
  bool first = true;
  for (std::uint8_t octet : address.octets()) {
    if (!first) *out++ = '.';
    first = false;
    out = std::to_chars(out, out + 3, octet).ptr;
  }
  return out;
}

char* write(char* out, const ipv6_address& address) noexcept {
  if (auto mapped = address.to_ipv4_mapped()) {
    constexpr std::string_view prefix = "::ffff:";
    return write(out + prefix.copy(out, prefix.size()), *mapped);
  }
  auto segments = address.segments();
  zero_run zeros = longest_zero_run(segments);
  for (std::size_t i = 0; i < segments.size();) {
    if (zeros.size != 0 && i == zeros.begin) {
      *out++ = ':';
      *out++ = ':';
      i += zeros.size;
      continue;
    }
    if (i != 0 && i != zeros.begin + zeros.size) *out++ = ':';
    out = std::to_chars(out, out + 4, segments[i], 16).ptr;
    ++i;
  }
  return out;
}

char* write(char* out, const ip_address& address) noexcept {
  if (auto v6 = address.as_ipv6()) return write(out, *v6);
  return write(out, *address.as_ipv4());
}

std::expected<std::uint32_t, std::errc> parse_decimal(std::string_view text) noexcept {
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, value);
  if (rest != end || error == std::errc::invalid_argument) return std::unexpected(std::errc::invalid_argument);
  if (error != std::errc()) return std::unexpected(error);
  return value;
}

std::expected<split_text, address_errc> split_port(std::string_view text) noexcept {
  constexpr auto none = std::string_view::npos;
  split_text result{};
  std::string_view rest;  // what follows the host: empty, or with its colon
  if (text.starts_with('[')) {
    std::size_t close = text.find(']');
    if (close == none) return std::unexpected(address_errc::unbalanced_brackets);
    result.bracketed = true;
    result.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    std::size_t colon = text.find(':');
    result.host = text.substr(0, colon);
    rest = text.substr(result.host.size());
  }
  if (result.host.find_first_of("[]") != none || rest.find_first_of("[]") != none) {
    return std::unexpected(address_errc::unbalanced_brackets);
  }
  if (rest.starts_with(':') && rest.find(':', 1) != none) return std::unexpected(address_errc::too_many_colons);
  if (result.host.empty()) return std::unexpected(address_errc::missing_host);
  if (!rest.starts_with(':') || rest.size() == 1) return std::unexpected(address_errc::missing_port);
  auto port = parse_decimal(rest.substr(1));
  if (!port && port.error() == std::errc::invalid_argument) return std::unexpected(address_errc::invalid_port);
  if (!port || *port > 65535) return std::unexpected(address_errc::port_out_of_range);
  result.port = static_cast<std::uint16_t>(*port);
  return result;
}

std::expected<scoped_text, address_errc> parse_scoped(std::string_view text) noexcept {
  std::size_t percent = text.find('%');
  auto address = ipv6_address::parse(text.substr(0, percent));
  if (!address) return std::unexpected(address_errc::invalid_ipv6_address);
  if (percent == std::string_view::npos) return scoped_text{*address, {}};
  std::string_view scope = text.substr(percent + 1);
  if (scope.empty() || scope.find_first_of("%/") != std::string_view::npos || has_space_or_control(scope)) {
    return std::unexpected(address_errc::invalid_scope);
  }
  return scoped_text{*address, scope};
}

bool ends_in_number(std::string_view host) noexcept {
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string_view label = host.substr(host.rfind('.') + 1);
  if (label.empty()) return false;
  std::string_view digits = "0123456789";
  if (label.starts_with("0x") || label.starts_with("0X")) {
    label.remove_prefix(2);
    digits = "0123456789abcdefABCDEF";
  }
  return label.find_first_not_of(digits) == std::string_view::npos;
}

bool has_space_or_control(std::string_view text) noexcept {
  return std::ranges::any_of(text, [](char c) { return c == ' ' || is_control(c); });
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest_quote = 100;
  std::string quote(1, '"');
  quote += text.substr(0, longest_quote);
  // The text may come from anywhere: it must not move the cursor of whoever reads the message, nor end it.
  std::ranges::replace_if(quote, is_control, '?');
  if (text.size() > longest_quote) quote += "...";
  return quote + '"';
}

void throw_invalid(std::error_code error, std::string_view text) {
  astd::detail::throw_invalid_argument((error.message() + ": " + in_quotes(text)).c_str());
}

}  // namespace astd::net::detail
