// What the replicated log is put through: five nodes and two clients, while the network, the disks, the clocks and the
// power fail. Nothing that a client was told is in the log may be lost, and when the failures stop it has to go on.
#pragma once

#include "node.hpp"
#include <astd/testing/sim.hpp>

#include <stdexcept>
#include <string>
#include <system_error>

namespace replicated {

class checker final : public observer {
 public:
  explicit checker(unsigned nodes) : reached_(nodes) {}

  void committed(unsigned node, std::uint64_t index, const entry& e) override {
    if (const auto [known, fresh] = certain_.try_emplace(index, e); !fresh && known->second != e)
      throw std::logic_error("entry " + std::to_string(index) + " was certain, and is another one now");
    values_.insert(e.value);
    reached_[node] = index;
  }
  void leads(unsigned node, std::uint64_t term) override {
    if (const auto [first, fresh] = leaders_.try_emplace(term, node); !fresh && first->second != node)
      throw std::logic_error("two leaders in term " + std::to_string(term));
  }
  void acknowledged(std::uint64_t value) {
    if (!values_.contains(value)) throw std::logic_error("an entry was acknowledged that no node has");
    ++acknowledged_;
  }
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::size_t terms() const { return leaders_.size(); }
  /// All nodes have all that is certain.
  bool all_agree() const {
    return std::ranges::all_of(reached_, [this](std::uint64_t n) { return n == certain_.size(); });
  }

 private:
  std::map<std::uint64_t, entry> certain_;
  std::map<std::uint64_t, unsigned> leaders_;
  std::set<std::uint64_t> values_;
  std::vector<std::uint64_t> reached_;
  std::uint64_t acknowledged_ = 0;
};

inline astd::task<> keep_putting(addresses nodes, std::uint64_t first, checker& seen) {
  for (std::uint64_t value = first;; ++value) {
    co_await put(nodes, value);
    seen.acknowledged(value);
    co_await astd::this_task::sleep_for(std::chrono::milliseconds(astd::random::between(1, 100)));
  }
}

/// A node that its disk has failed ends, and somebody starts it again: nothing else may rely on what it holds in memory.
inline astd::task<> keep_running(unsigned number, addresses all, storage where, observer& seen) {
  for (;;) {
    try {
      co_await run_node(number, all, "0.0.0.0:7000", where, seen);
    } catch (const std::system_error& e) {
      if (e.code() != std::errc::io_error) throw;
    }
    co_await astd::this_task::sleep_for(100ms);
  }
}

/// `careful`: whether the nodes wait until their disks have stored what they promise. Gives how many entries were
/// acknowledged.
inline astd::task<std::uint64_t> survives(astd::sim::universe& universe, bool careful,
                                          std::chrono::nanoseconds how_long, astd::sim::chaos_options accidents) {
  constexpr unsigned n = 5;
  auto& seen = universe.make<checker>(n);
  addresses nodes;
  // As addresses are given: 10.0.0.1 is the scenario's own.
  for (unsigned i = 0; i < n; ++i)
    nodes.emplace_back(astd::net::ipv4_address(10, 0, 0, static_cast<std::uint8_t>(i + 2)), std::uint16_t(7000));
  for (unsigned i = 0; i < n; ++i)
    universe.add_host("node" + std::to_string(i),
                      [=, &seen] { return keep_running(i, nodes, storage("/", careful), seen); });
  for (std::uint64_t c = 1; c <= 2; ++c)
    universe.add_host("client" + std::to_string(c),
                      [=, &seen] { return keep_putting(nodes, c * 1'000'000, seen); });

  accidents.spared = {"client1", "client2"};
  astd::spawn(astd::sim::chaos, std::ref(universe), accidents).detach();
  co_await astd::this_task::sleep_for(how_long);

  co_await universe.quiet();
  const std::uint64_t before = seen.acknowledged();
  co_await universe.eventually(30s, [&] { return seen.acknowledged() >= before + 10; }, "ten more entries");
  universe.crash("client1");
  universe.crash("client2");
  co_await universe.eventually(30s, [&] { return seen.all_agree(); }, "five equal logs");
  co_return seen.acknowledged();
}

inline astd::task<std::uint64_t> careful_nodes(astd::sim::universe& universe) {
  astd::sim::chaos_options accidents;
  accidents.every = 1s;
  accidents.lasts = 2s;
  return survives(universe, true, 60s, accidents);
}
/// Their power fails often.
inline astd::task<std::uint64_t> careless_nodes(astd::sim::universe& universe) {
  astd::sim::chaos_options accidents;
  accidents.every = 300ms;
  accidents.lasts = 300ms;
  accidents.one_way_partitions = accidents.clogs = accidents.pauses = accidents.clock_jumps = 0;
  accidents.crashes = 3;
  return survives(universe, false, 10s, accidents);
}

/// One in which only the accidents happen that chaos() draws, so that what is found can be told in a few lines.
inline astd::sim::options bare_world(std::uint64_t seed) {
  astd::sim::options o;
  o.seed = seed;
  return o;
}

/// A world in which datagrams are lost, doubled and late, and disks are slow at times, or fail.
inline astd::sim::options bad_world(std::uint64_t seed) {
  using astd::sim::fault;
  astd::sim::options o = astd::sim::swarm(seed);
  o.link.latency = std::min<std::chrono::nanoseconds>(o.link.latency, 10ms);
  o.link.jitter = std::min<std::chrono::nanoseconds>(o.link.jitter, 20ms);
  o.faults.set(fault::packet_lost, 0.05).set(fault::packet_duplicated, 0.05).set(fault::packet_delayed, 0.05);
  o.faults.set(fault::disk_slow, 0.01).set(fault::disk_error, 0.001);
  return o;
}

}  // namespace replicated
