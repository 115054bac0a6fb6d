// The network of a simulated world: its links, what crosses them, and its names.
//
//   network& net = w.net();
//   net.link(client, server).loss = 0.01;      // one direction
//   net.partition(client, server);             // nothing passes, neither way
//   net.heal(client, server);
//
// Whatever is changed holds for what is sent from then on.
#pragma once

#include <astd/driver/sim/address.hpp>
#include <astd/driver/sim/link.hpp>
#include <astd/driver/sim/packet.hpp>
#include <astd/driver/sim/pool.hpp>
#include <astd/driver/sim/world.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace astd::driver::sim {

class network_stack;
struct early_piece;

class network {
 public:
  explicit network(world& of);
  network(const network&) = delete;
  network& operator=(const network&) = delete;
  ~network();

  [[nodiscard]] world& in() const noexcept { return world_; }

  // ---- links. What a machine sends to itself needs none: it takes some microseconds and never fails.
  /// From one machine to another. With the first call they have settings of their own, at first the default's. The
  /// reference lives as long as the network.
  link_settings& link(const machine& from, const machine& to);
  /// For all pairs that have none of their own.
  void set_default_link(const link_settings& settings);
  [[nodiscard]] const link_settings& default_link() const noexcept { return default_; }

  // ---- partitions: what is sent is lost without a word
  void partition(const machine& from, const machine& to, bool one_way = false);
  void heal(const machine& from, const machine& to, bool one_way = false);
  /// Between this machine and all others.
  void isolate(const machine& m);
  /// All of both kinds.
  void heal_all();
  [[nodiscard]] bool reaches(const machine& from, const machine& to) const noexcept;

  // ---- clogging: what is sent to the machine or by it is held, and let go all at once, in any order
  void clog(const machine& m);
  void release(const machine& m);
  [[nodiscard]] bool clogged(const machine& m) const noexcept;

  // ---- names
  /// A further name for a machine, which has its own; several machines may share one, which then has several addresses.
  void add_name(std::string name, const machine& m);
  /// The addresses of `host`: those of the machine of that name, of further names, and "localhost". None: there is no such
  /// name. IPv6 ones (fd00::n) only if `names_have_v6`, and last.
  [[nodiscard]] std::vector<ip> addresses_of(std::string_view host) const;
  bool names_have_v6 = false;
  /// How long a lookup takes: drawn between the two.
  detail::instant shortest_lookup = 200'000, longest_lookup = 2'000'000;
  [[nodiscard]] detail::instant draw_lookup() noexcept;

  /// How many packets were sent.
  [[nodiscard]] std::uint64_t packets() const noexcept { return sent_; }

  // ---- for the stacks
  [[nodiscard]] packet& make_packet(packet_kind kind, network_stack& from, network_stack* to);
  /// On its way. `last_arrival`: it does not overtake what arrives then. `to` null: nobody has the address.
  void send(packet& p, detail::instant* last_arrival = nullptr) noexcept;
  void drop(packet& p) noexcept;
  [[nodiscard]] network_stack* stack_at(const ip& address) const noexcept;
  [[nodiscard]] block_pool& blocks() noexcept { return blocks_; }
  [[nodiscard]] tcp_connection& make_connection();
  void unref(tcp_connection& c) noexcept;
  [[nodiscard]] early_piece& make_early(const early_piece& piece);
  void give_back(early_piece& piece) noexcept;

 private:
  friend struct packet;
  [[nodiscard]] link_state* find_between(std::uint32_t from, std::uint32_t to) noexcept;
  void set_out(packet& p, detail::instant arrival) noexcept;
  void hold(packet& p) noexcept;
  void send_to_nobody(packet& p) noexcept;
  [[nodiscard]] packet& copy_of(const packet& p);
  void arrive(packet& p) noexcept;
  void reset_both_ends(const packet& p) noexcept;

  struct further_name {
    std::string name;
    std::uint32_t machine;
  };

  world& world_;
  link_settings default_;
  // Asked for one pair at a time, never gone through where the order matters.
  std::unordered_map<std::uint64_t, link_state> links_;
  std::uint64_t sent_ = 0;
  std::vector<further_name> names_;
  block_pool blocks_;
  pool<packet> packets_;
  struct connections;
  std::unique_ptr<connections> connections_;
};

}  // namespace astd::driver::sim
