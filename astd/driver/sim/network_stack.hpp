// A machine's end of the network: its addresses, ports, sockets and connections.
#pragma once

#include <astd/driver/sim/hash_chains.hpp>
#include <astd/driver/sim/network.hpp>
#include <astd/driver/sim/tcp_connection.hpp>

#include <cstdint>

namespace astd::driver::sim {

class machine;
class socket;
class udp_socket;

class network_stack {
 public:
  explicit network_stack(machine& of);
  network_stack(const network_stack&) = delete;
  network_stack& operator=(const network_stack&) = delete;
  ~network_stack();

  [[nodiscard]] machine& of() const noexcept { return machine_; }
  [[nodiscard]] network& net() const noexcept { return network_; }
  [[nodiscard]] world& in() const noexcept { return network_.in(); }
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }
  [[nodiscard]] bool up() const noexcept;

  /// opcode::socket: the descriptor.
  [[nodiscard]] std::int32_t make_socket(operation& op) noexcept;
  /// Connections vanish without a word to their other ends.
  void crash() noexcept;
  /// The world ends: its sockets do nothing any more.
  void end() noexcept;
  /// From which ports those are taken that nobody asked for by number; both included.
  void set_ephemeral_ports(std::uint16_t from, std::uint16_t to) noexcept {
    first_port_ = from;
    last_port_ = to;
  }
  /// How many connections have an end here, those included whose sockets are gone.
  [[nodiscard]] std::size_t connections() const noexcept { return connections_; }

  // ---- for its sockets
  /// The way to `address` of a socket bound to `source` (or to a wildcard).
  struct route {
    std::int32_t error = 0;
    ip source, target;
    network_stack* to = nullptr;  // null: nobody has this address
  };
  [[nodiscard]] route route_to(const ip& address, const ip& source) noexcept;
  [[nodiscard]] bool has(const ip& address) const noexcept;

  enum class protocol : std::uint8_t { tcp, udp };
  /// A port for `b` at b.at (0: any that is free): 0, or -EADDRINUSE.
  [[nodiscard]] std::int32_t bind(binding& b, protocol which) noexcept;
  void unbind(binding& b, protocol which) noexcept;
  /// Whether `b`, bound, is in the way of no other listener.
  [[nodiscard]] bool may_listen(const binding& b) const noexcept;
  /// A port of its own for a connection of `side` to its peer's place: 0 or -EADDRNOTAVAIL.
  [[nodiscard]] std::int32_t choose_port(tcp_side& side) noexcept;
  void add(tcp_side& side);
  void remove(tcp_side& side) noexcept;
  [[nodiscard]] tcp_side* find(const place& local, const place& remote) const noexcept;
  void add(socket& s) noexcept;
  void add_listener(tcp_listener& l);
  void remove_listener(tcp_listener& l) noexcept;

  /// From the network.
  void arrive(packet& p) noexcept;

  // ---- the network's
  bool isolated = false, clogged = false;
  detail::instant last_inside = 0;  // when the last datagram to itself arrives: they keep their order
  detail::intrusive_list<packet> held;

 private:
  [[nodiscard]] tcp_listener* listener_at(const place& local, const place& remote) const noexcept;
  [[nodiscard]] udp_socket* receiver_of(const place& local, const place& remote) const noexcept;
  void arrive_at_connection(packet& p) noexcept;
  void arrive_at_listener(packet& p) noexcept;
  void refuse(packet& p) noexcept;
  void arrive_datagram(packet& p) noexcept;
  void arrive_error(packet& p) noexcept;
  [[nodiscard]] bool conflicts(const binding& b, protocol which) const noexcept;

  machine& machine_;
  network& network_;
  const std::uint32_t number_;
  std::uint16_t first_port_ = 32'768, last_port_ = 60'999;
  std::size_t connections_ = 0;
  std::uint32_t listened_ = 0;
  detail::intrusive_list<tcp_side_in_stack> sides_;
  detail::intrusive_list<socket_in_stack> sockets_;
  hash_chains<tcp_side, &tcp_side::by_places> by_places_;
  hash_chains<binding, &binding::by_port> tcp_ports_, udp_ports_;
  hash_chains<tcp_listener, &tcp_listener::by_port> listeners_;
};

}  // namespace astd::driver::sim
