// The network of a simulated world: addresses, names, links and what crosses them; and each machine's end of it.
#pragma once

#include <astd/driver/sim/open_file.hpp>
#include <astd/driver/sim/world.hpp>

#include <cstdint>
#include <memory>

namespace astd::driver::sim {

class network {
 public:
  explicit network(world& of);
  network(const network&) = delete;
  network& operator=(const network&) = delete;
  ~network();

 private:
  world& world_;
};

/// A machine's addresses, ports and connections.
class network_stack {
 public:
  explicit network_stack(machine& of);
  network_stack(const network_stack&) = delete;
  network_stack& operator=(const network_stack&) = delete;
  ~network_stack();

  /// opcode::socket: the descriptor.
  [[nodiscard]] std::int32_t make_socket(operation& op) noexcept;
  /// Connections vanish without a word to their other ends.
  void crash() noexcept;

 private:
  machine& machine_;
};

}  // namespace astd::driver::sim
