// What crosses the simulated network. On its way it is an event; a datagram then lies in its socket's queue, and at a
// clogged machine it lies in that one's.
#pragma once

#include <astd/base/intrusive_list.hpp>
#include <astd/driver/sim/address.hpp>
#include <astd/driver/sim/event.hpp>

#include <cstdint>

namespace astd::driver::sim {

class network;
class network_stack;
struct tcp_connection;

enum class packet_kind : std::uint8_t {
  syn,
  syn_ack,
  segment,  // an acknowledgement, with bytes or without
  probe,    // asks for an acknowledgement
  reset,
  datagram,
  refused,      // ICMP, to the sender of a datagram: nobody is at that port
  unreachable,  // ICMP: there is no such host
};

struct packet final : event, detail::list_node {
  explicit packet(network& n) noexcept : on(n) {}

  network& on;
  network_stack* from = nullptr;
  network_stack* to = nullptr;
  packet_kind kind{};
  bool fin = false;
  std::uint8_t to_side = 0;  // of a connection
  std::uint32_t bytes = 0;   // without headers
  /// The bytes of a segment stay where the sender has put them: in the connection.
  struct tcp_part {
    tcp_connection* connection;
    std::uint64_t sequence, acknowledged;
    std::uint64_t edge;  // what the sender of this one takes: up to here
  };
  struct udp_part {
    place source, target;
    char* data;
    std::uint32_t room;
  };
  /// On its way to something that lies there.
  void goes_to(const void* there) noexcept { set_touched(there); }

  union {
    tcp_part tcp;
    udp_part udp;
  };

 private:
  void fire() noexcept override;
};

}  // namespace astd::driver::sim
