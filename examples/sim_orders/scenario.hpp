// What the shop is put through: a customer buys three things, each once, while the network misbehaves.
#pragma once

#include "shop.hpp"
#include <astd/testing/sim.hpp>

#include <stdexcept>
#include <string>

namespace shop {

template <bool Careful>
astd::task<> three_purchases(astd::sim::universe& universe) {
  using namespace std::chrono_literals;
  auto& orders = universe.make<book>(Careful);
  auto& server = universe.add_host("shop", [&orders] { return open_at("0.0.0.0:80", orders); });
  auto& customer = universe.add_host("customer");
  co_await astd::this_task::sleep_for(1ms);
  const astd::net::endpoint where(server.address(), 80);
  for (std::uint32_t item = 1; item <= 3; ++item) co_await customer.run(buy, where, item);
  const auto& items = orders.items();
  if (items != std::vector<std::uint32_t>{1, 2, 3})
    throw std::runtime_error("3 orders were placed, and " + std::to_string(items.size()) + " will be delivered");
}

/// A network that loses and delays packets and now and then a connection.
inline astd::sim::options bad_network(std::uint64_t seed) {
  using astd::sim::fault;
  astd::sim::options o;
  o.seed = seed;
  o.faults.set(fault::packet_lost, 0.02).set(fault::packet_delayed, 0.02).set(fault::connection_reset, 0.01);
  return o;
}

}  // namespace shop
