// The example sim_election, as tests.
#include <astd/channel.hpp>
#include <astd/future.hpp>
#include <astd/runtime.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/testing/sim_gtest.hpp>

#include <examples/sim_election/scenario.hpp>

#include <cstdint>
#include <stdexcept>
#include <vector>

namespace {

using namespace std::chrono_literals;

TEST(sim_election, careless_candidates_are_found_out) {
  // One run may need all of its faults in order to fail; several do not.
  std::uint64_t before = 0, after = 0;
  for (const std::uint64_t first : {1, 500, 1000}) {
    const auto found = astd::sim::hunt(
        {.first_seed = first, .seeds = 2000, .twice_every = 0, .configuration = election::slow_network},
        election::elections<false>);
    ASSERT_TRUE(found);
    before += found->faults;
    after += found->told.faults;
    EXPECT_THROW(astd::sim::run(found->smallest, election::elections<false>), std::logic_error);
  }
  EXPECT_LT(after, before);
}

TEST(sim_election, careful_ones_are_not) {
  const auto found =
      astd::sim::hunt({.seeds = 20, .configuration = election::slow_network}, election::elections<true>);
  if (found) ADD_FAILURE() << to_string(*found);
}

class announcer final : public election::observer {
 public:
  explicit announcer(astd::sender<std::uint32_t> to) : to_(std::move(to)) {}
  void leads(std::uint32_t node, std::uint32_t) override { static_cast<void>(to_.try_send(node)); }

 private:
  astd::sender<std::uint32_t> to_;
};

ASTD_TEST(sim_election, works_on_real_sockets) {
  auto [tx, rx] = astd::channel<std::uint32_t>(100);
  announcer seen(std::move(tx));
  std::vector<astd::net::socket_address> all;
  std::vector<astd::net::udp_socket> sockets;
  for (int i = 0; i < 3; ++i) {
    auto socket = co_await astd::net::udp_socket::bind("127.0.0.1:0");
    all.push_back(socket.local_address());
    sockets.push_back(std::move(socket));
  }
  std::vector<astd::join_handle<>> running;
  const auto take_part = [](std::uint32_t number, std::vector<astd::net::socket_address> others,
                            astd::net::udp_socket socket, election::observer& told) -> astd::task<> {
    election::voter v(number, std::move(others), true, told);
    co_await v.run(std::move(socket));
  };
  for (std::uint32_t i = 0; i < 3; ++i)
    running.push_back(astd::spawn(take_part, i, all, std::move(sockets[i]), std::ref<election::observer>(seen)));
  auto leader = co_await astd::timeout(60s, rx.recv());
  EXPECT_TRUE(leader.has_value());
  for (auto& r : running) {
    auto stopped = co_await r.cancel();
    EXPECT_FALSE(stopped);
  }
}

}  // namespace
