#include <astd/coro/or_return.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/net/address_error.hpp>
#include <astd/net/address_text.hpp>
#include <astd/net/resolve.hpp>
#include <astd/net/resolver.hpp>

#include <utility>

namespace astd::net {
namespace {

// Never destroyed: a lookup that was given up may still run when the process ends, and nobody should wait for it.
detail::resolver& default_resolver() {
  static auto* const the = new detail::resolver(&detail::resolve_now, 4);
  return *the;
}

std::vector<socket_address> only(const socket_address& address) { return {1, address}; }

}  // namespace

std::string endpoint::to_string() const {
  switch (what_) {
    case kind::text: return text_;
    case kind::host_and_port: {
      const bool bare_ipv6 = text_.find(':') != std::string::npos;
      return (bare_ipv6 ? '[' + text_ + ']' : text_) + ':' + std::to_string(port_);
    }
    case kind::addresses: break;
  }
  return addresses_.empty() ? "no address" : addresses_.front().to_string();
}

/// The part of an endpoint that lookup_host() works on.
class address_lookup {
 public:
  explicit address_lookup(endpoint& where) noexcept : where_(where) {}

  /// What needs no lookup: the addresses, or none if host() is to be looked up.
  std::expected<std::vector<socket_address>, std::error_code> known() {
    if (!where_.has_host()) {
      if (where_.addresses_.empty()) return std::unexpected(std::make_error_code(std::errc::invalid_argument));
      return std::move(where_.addresses_);
    }
    if (where_.what_ == endpoint::kind::text) {
      auto split = host_port::parse(where_.text_);
      if (!split) return std::unexpected(split.error());
      where_.text_ = std::move(split->host);
      where_.port_ = split->port;
      where_.what_ = endpoint::kind::host_and_port;
    }
    if (auto ip = ip_address::parse(where_.text_)) return only({*ip, where_.port_});
    // With a colon it can only be an IPv6 address with a scope; or it is nothing.
    if (where_.text_.find(':') == std::string::npos) {
      if (detail::ends_in_number(where_.text_))
        return std::unexpected(make_error_code(address_errc::invalid_ipv4_address));
      return std::vector<socket_address>();
    }
    auto scoped = socket_address::parse(where_.to_string());
    if (!scoped) return std::unexpected(scoped.error());
    return only(*scoped);
  }

  [[nodiscard]] std::string_view host() const noexcept { return where_.text_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return where_.port_; }

 private:
  endpoint& where_;
};

task<std::vector<socket_address>> lookup_host(endpoint where) {
  const std::string name = where.to_string();
  address_lookup lookup(where);
  auto known = lookup.known();
  if (!known) co_await fail({known.error(), "resolve", name});
  if (!known->empty()) co_return std::move(*known);
  if (lookup.host().empty()) co_await fail({make_error_code(address_errc::missing_host), "resolve", name});

  std::vector<socket_address> found;
  std::error_code error;
  if (driver::sim::machine* const simulated = driver::sim::machine::here()) [[unlikely]] {
    detail::resolved answer = co_await detail::resolve_in_world(*simulated, lookup.host());
    found = std::move(answer.addresses);
    error = answer.error;
  } else {
    detail::resolver& resolver = default_resolver();
    const std::shared_ptr<const detail::resolved> answer = co_await resolver.look_up(lookup.host());
    found = answer->addresses;
    error = answer->error;
  }
  if (error) co_await fail({error, "resolve", lookup.host()});
  for (socket_address& address : found) address.set_port(lookup.port());
  co_return found;
}

}  // namespace astd::net
