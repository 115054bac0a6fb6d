// Internal: socket_address to and from what POSIX calls take.
#pragma once

#include <astd/net/socket_address.hpp>

#include <optional>

#include <sys/socket.h>

namespace astd::net::detail {

/// Fills the front of `native`, the rest is left as it is; the size to give to bind, connect or sendto.
socklen_t to_native(const socket_address& address, sockaddr_storage& native) noexcept;

/// The address in the first `size` bytes at `native`, which need no alignment. Nothing if they are too few or are not of
/// the IPv4 or IPv6 family. A null `native` of size 0 (an unnamed peer) is nothing, too.
std::optional<socket_address> from_native(const sockaddr* native, socklen_t size) noexcept;

}  // namespace astd::net::detail
