// The example sim_orders, as tests.
#include <astd/runtime.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/testing/sim_gtest.hpp>

#include <examples/sim_orders/scenario.hpp>

namespace {

TEST(sim_orders, the_careless_shop_is_found_out) {
  const auto found =
      astd::sim::hunt({.first_seed = 1, .seeds = 10'000, .twice_every = 0, .configuration = shop::bad_network},
                      shop::three_purchases<false>);
  ASSERT_TRUE(found);
  EXPECT_LE(found->told.faults, 3u) << to_string(*found);
  EXPECT_THROW(astd::sim::run(found->smallest, shop::three_purchases<false>), std::runtime_error);
}

TEST(sim_orders, the_careful_shop_is_not) {
  const auto found =
      astd::sim::hunt({.seeds = 300, .configuration = shop::bad_network}, shop::three_purchases<true>);
  if (found) ADD_FAILURE() << to_string(*found);
}

ASTD_TEST(sim_orders, work_on_real_sockets) {
  shop::book orders(true);
  auto listener = co_await astd::net::tcp_listener::bind("127.0.0.1:0");
  const astd::net::endpoint where(listener.local_address());
  auto open = astd::spawn(shop::open, std::move(listener), std::ref(orders));
  for (std::uint32_t item = 1; item <= 3; ++item) co_await shop::buy(where, item);
  auto stopped = co_await open.cancel();
  EXPECT_FALSE(stopped);
  EXPECT_EQ(orders.items(), (std::vector<std::uint32_t>{1, 2, 3}));
}

}  // namespace
