// A retry that orders twice when an answer is lost: found by simulation, replayed, and mended.
#include "scenario.hpp"
#include <astd/runtime.hpp>

#include <cstdio>

namespace {

// The same shop and customer over the sockets of this machine.
astd::task<std::size_t> for_real() {
  shop::book orders(true);
  auto listener = co_await astd::net::tcp_listener::bind("127.0.0.1:0");
  const astd::net::endpoint where(listener.local_address());
  auto open = astd::spawn(shop::open, std::move(listener), std::ref(orders));
  for (std::uint32_t item = 1; item <= 3; ++item) co_await shop::buy(where, item);
  co_await open.cancel();
  co_return orders.items().size();
}

}  // namespace

int main() {
  namespace sim = astd::sim;
  const sim::hunt_options how{.first_seed = 1, .seeds = 10'000, .configuration = shop::bad_network};

  const auto careless = sim::hunt(how, shop::three_purchases<false>);
  if (!careless) return std::puts("the careless shop: no seed has found it"), 1;
  std::printf("the careless shop, with seed %llu of 10000\n%s\n", static_cast<unsigned long long>(careless->runs),
              to_string(*careless).c_str());

  const auto careful = sim::hunt(how, shop::three_purchases<true>);
  if (careful) return std::printf("the careful shop\n%s\n", to_string(*careful).c_str()), 1;
  std::puts("the careful shop: 10000 seeds, no failure");

  std::printf("on real sockets: %zu orders\n", astd::block_on(for_real()));
}
