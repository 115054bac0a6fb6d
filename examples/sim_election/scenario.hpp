// Five voters; packets are late and doubled, links break, hosts pause, clocks run unevenly.
#pragma once

#include "voter.hpp"
#include <astd/testing/sim.hpp>
#include <astd/this_task.hpp>

#include <functional>
#include <map>
#include <stdexcept>
#include <string>

namespace election {

class checker final : public observer {
 public:
  void leads(std::uint32_t node, std::uint32_t term) override {
    if (const auto [first, fresh] = leaders_.try_emplace(term, node); !fresh && first->second != node)
      throw std::logic_error("two leaders in term " + std::to_string(term));
  }
  std::size_t terms() const { return leaders_.size(); }

 private:
  std::map<std::uint32_t, std::uint32_t> leaders_;
};

template <bool Careful>
astd::task<> elections(astd::sim::universe& universe) {
  auto& seen = universe.make<checker>();
  std::vector<astd::net::socket_address> all;
  for (std::uint8_t i = 0; i < 5; ++i)
    all.emplace_back(astd::net::ipv4_address(10, 0, 0, static_cast<std::uint8_t>(i + 2)), std::uint16_t(700));
  for (std::uint32_t i = 0; i < 5; ++i) {
    auto& host = universe.add_host("voter" + std::to_string(i),
                                   [=, &seen] { return run_voter(i, all, Careful, "0.0.0.0:700", seen); });
    host.set_clock_drift(0.02 * (static_cast<double>(i) - 2));
  }
  astd::sim::chaos_options accidents;
  accidents.crashes = 0;  // a vote is not stored
  astd::spawn(astd::sim::chaos, std::ref(universe), accidents).detach();
  co_await astd::this_task::sleep_for(10s);
  co_await universe.quiet();
  co_await universe.eventually(10s, [&] { return seen.terms() > 0; }, "a leader");
}

inline astd::sim::options slow_network(std::uint64_t seed) {
  using astd::sim::fault;
  astd::sim::options o;
  o.seed = seed;
  o.link.latency = 5ms;
  o.link.jitter = 20ms;
  o.faults.set(fault::packet_duplicated, 0.005).set(fault::packet_delayed, 0.005);
  return o;
}

}  // namespace election
