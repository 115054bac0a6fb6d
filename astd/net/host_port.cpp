#include <astd/net/address_text.hpp>
#include <astd/net/host_port.hpp>

namespace astd::net {

std::expected<host_port, std::error_code> host_port::parse(std::string_view text) {
  auto split = detail::split_port(text);
  if (!split) return std::unexpected(make_error_code(split.error()));
  if (split->bracketed) {
    auto scoped = detail::parse_scoped(split->host);
    if (!scoped) return std::unexpected(make_error_code(scoped.error()));
  }
  // A zero would end the name early in a C interface and so resolve another one.
  if (detail::has_space_or_control(split->host))
    return std::unexpected(make_error_code(address_errc::invalid_host));
  return host_port{std::string(split->host), split->port};
}

}  // namespace astd::net
