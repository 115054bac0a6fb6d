// Internal: room for an address as the system has it, in headers that do not know the system's.
#pragma once

#include <astd/net/socket_address.hpp>

#include <cstddef>

struct sockaddr;

namespace astd::net::detail {

/// An IPv4 or IPv6 address in the system's form. Stays where it is while an operation uses it.
struct native_address {
  native_address() noexcept = default;
  explicit native_address(const socket_address& address) noexcept { assign(address); }
  void assign(const socket_address& address) noexcept;
  /// 0.0.0.0:0 if there is none.
  [[nodiscard]] socket_address get() const noexcept;
  [[nodiscard]] sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(bytes); }

  static constexpr unsigned capacity = 32;
  alignas(8) std::byte bytes[capacity];
  unsigned length = 0;
};

}  // namespace astd::net::detail
