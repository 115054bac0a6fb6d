// The example sim_log, as tests.
#include <astd/runtime.hpp>
#include <astd/testing/sim_gtest.hpp>

#include <examples/sim_log/scenario.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

TEST(sim_log, nodes_that_do_not_sync_are_found_out) {
  const auto found = astd::sim::hunt(
      {.first_seed = 1, .seeds = 100, .twice_every = 0, .shrink_runs = 30, .configuration = replicated::bare_world},
      replicated::careless_nodes);
  ASSERT_TRUE(found);
  EXPECT_LE(found->told.faults, found->faults);
  EXPECT_ANY_THROW(static_cast<void>(astd::sim::run(found->smallest, replicated::careless_nodes)));
}

ASTD_SIM_TEST_WITH(sim_log, loses_nothing_that_was_acknowledged, replicated::bad_world) {
  astd::sim::chaos_options accidents;
  accidents.every = 1s;
  accidents.lasts = 2s;
  auto entries = co_await replicated::survives(universe, true, 20s, accidents);
  EXPECT_GT(entries, 0u);
}

// What cannot be read was saved all the same, and what was read need not be stored.
TEST(sim_log, loses_nothing_though_disks_fail_often) {
  const auto scenario = [](astd::sim::universe& universe) -> astd::task<std::uint64_t> {
    astd::sim::chaos_options accidents;
    accidents.every = 300ms;
    accidents.lasts = 300ms;
    accidents.crashes = 3;
    return replicated::survives(universe, true, 20s, accidents);
  };
  std::ptrdiff_t disk_errors = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    astd::sim::options o = replicated::bare_world(seed);
    o.faults.set(astd::sim::fault::disk_error, 0.2);
    astd::sim::report told;
    EXPECT_GT(astd::sim::run(o, scenario, &told), 0u) << "seed " << seed;
    disk_errors += std::ranges::count(told.struck_faults, astd::sim::fault::disk_error, &astd::sim::struck::kind);
  }
  EXPECT_GT(disk_errors, 100);
}

// All of it on one worker: the checker has no lock.
astd::task<std::uint64_t> for_real(std::string folder) {
  replicated::checker seen(3);
  replicated::addresses nodes;
  std::vector<astd::net::udp_socket> sockets;
  for (int i = 0; i < 3; ++i) {
    auto socket = co_await astd::net::udp_socket::bind("127.0.0.1:0");
    nodes.push_back(socket.local_address());
    sockets.push_back(std::move(socket));
  }
  std::vector<astd::join_handle<>> running;
  for (unsigned i = 0; i < 3; ++i) {
    const std::string own = folder + "/" + std::to_string(i);
    std::filesystem::create_directory(own);
    running.push_back(astd::spawn_local(
        [](unsigned number, replicated::addresses all, astd::net::udp_socket socket, std::string where,
           replicated::checker& watching) -> astd::task<> {
          replicated::node n(number, std::move(all), replicated::storage(where, true), watching);
          co_await n.run(std::move(socket));
        },
        i, nodes, std::move(sockets[i]), own, std::ref(seen)));
  }
  for (std::uint64_t value = 1; value <= 5; ++value) {
    co_await replicated::put(nodes, value);
    seen.acknowledged(value);
  }
  for (auto& node : running) {
    auto stopped = co_await node.cancel();
    EXPECT_FALSE(stopped);
  }
  co_return seen.acknowledged();
}

TEST(sim_log, works_on_real_sockets_and_files) {
  astd::runtime_options options = astd::runtime_options::from_environment();
  options.workers = 1;
  astd::runtime rt(options);
  if (rt.metrics().driver == "sim") GTEST_SKIP() << "the folder is made on the real machine";
  std::string folder = "/tmp/astd-log-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  EXPECT_EQ(rt.block_on(rt.spawn(for_real, folder)), 5u);
  std::filesystem::remove_all(folder);
}

}  // namespace
