// Who has which port of a machine.
#pragma once

#include <astd/base/intrusive_list.hpp>
#include <astd/driver/sim/address.hpp>
#include <astd/driver/sim/hash_chains.hpp>

namespace astd::driver::sim {

class socket;

struct binding {
  chain_link<binding> by_port;
  place at;
  socket* whose = nullptr;  // null: a connection's
  bool reuse_address = false, reuse_port = false, only_v6 = false, listening = false;

  /// Whether something could come that is meant for both.
  [[nodiscard]] bool overlaps(const binding& other) const noexcept {
    return at.port == other.at.port && (covers(other.at.address) || other.covers(at.address));
  }
  /// Whether what is sent to `address` is meant for this.
  [[nodiscard]] bool covers(const ip& address) const noexcept {
    if (at.address == ip::v6_any()) return !only_v6 || !address.is_v4();
    if (at.address == ip::v4_any()) return address.is_v4();
    return at.address == address;
  }
};

struct socket_in_stack : detail::list_node {};

}  // namespace astd::driver::sim
