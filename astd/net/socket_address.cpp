#include <astd/net/address_text.hpp>
#include <astd/net/interface_index.hpp>
#include <astd/net/socket_address.hpp>

#include <charconv>

namespace astd::net {
namespace {

std::expected<std::uint32_t, std::error_code> parse_scope(std::string_view text) noexcept {
  auto index = detail::parse_decimal(text);
  if (index) return *index;
  if (index.error() == std::errc::result_out_of_range) {
    return std::unexpected(make_error_code(address_errc::invalid_scope));
  }
  return detail::interface_index(text);
}

char* write(char* out, const socket_address& address) noexcept {
  constexpr std::ptrdiff_t digits_of_scope = 10;
  constexpr std::ptrdiff_t digits_of_port = 5;
  if (address.is_ipv6()) *out++ = '[';
  out = detail::write(out, address.ip());
  if (address.scope_id() != 0) {
    *out++ = '%';
    out = std::to_chars(out, out + digits_of_scope, address.scope_id()).ptr;
  }
  if (address.is_ipv6()) *out++ = ']';
  *out++ = ':';
  return std::to_chars(out, out + digits_of_port, address.port()).ptr;
}

}  // namespace

std::expected<socket_address, std::error_code> socket_address::parse(std::string_view text) noexcept {
  auto split = detail::split_port(text);
  if (!split) return std::unexpected(make_error_code(split.error()));
  if (!split->bracketed) {
    auto ip = ipv4_address::parse(split->host);
    if (!ip) return std::unexpected(make_error_code(address_errc::invalid_ip_address));
    return socket_address(*ip, split->port);
  }
  auto scoped = detail::parse_scoped(split->host);
  if (!scoped) return std::unexpected(make_error_code(scoped.error()));
  if (scoped->scope.empty()) return socket_address(scoped->address, split->port);
  auto scope_id = parse_scope(scoped->scope);
  if (!scope_id) return std::unexpected(scope_id.error());
  return socket_address(scoped->address, split->port, 0, *scope_id);
}

socket_address::socket_address(std::string_view text) : socket_address(detail::value_or_throw(parse(text), text)) {}

std::string socket_address::to_string() const {
  char text[detail::max_socket_text];
  return {text, write(text, *this)};
}

}  // namespace astd::net

fmt::format_context::iterator fmt::formatter<astd::net::socket_address>::format(
    const astd::net::socket_address& address, format_context& context) const {
  char text[astd::net::detail::max_socket_text];
  return write({text, astd::net::write(text, address)}, context);
}
