// From names to addresses.
//
//   std::vector<net::socket_address> found = co_await net::lookup_host("example.org:443");
#pragma once

#include <astd/coro/task.hpp>
#include <astd/net/endpoint.hpp>

#include <system_error>
#include <vector>

namespace astd::net {

/// All addresses that `where` stands for, in the order in which they should be tried; never none.
///
/// Addresses, as text or not, are given back at once. Names are looked up by the system's getaddrinfo, on threads of
/// their own, four at most, so that slow name servers delay nothing else; tasks that ask for the same host at the same
/// time share one lookup. Cancelling ends the await at once; a lookup that runs already goes on unseen. A host whose
/// last part is a number is no name: it is an IPv4 address in four parts, or refused.
///
/// Fails with one of address_errc if a text is not a host and a port, with a code of resolve_category() if the host is
/// not found, with std::errc::invalid_argument for an empty range; the error names the host.
task<std::vector<socket_address>> lookup_host(endpoint where);

/// The category of what getaddrinfo reports (EAI_NONAME, EAI_AGAIN, ... as <netdb.h> has them), with the system's
/// messages. A temporary failure equals std::errc::resource_unavailable_try_again.
const std::error_category& resolve_category() noexcept;

}  // namespace astd::net
