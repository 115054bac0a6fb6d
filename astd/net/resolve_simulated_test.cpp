// Names and connections of a simulated world, through what users call.
#include <astd/driver/sim/machine.hpp>
#include <astd/driver/sim/network.hpp>
#include <astd/net.hpp>
#include <astd/runtime/simulation.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <system_error>
#include <vector>

#include <netdb.h>

namespace astd::net {
namespace {

using namespace std::chrono_literals;

struct two_machines {
  explicit two_machines(driver::sim::fault_rates faults = {})
      : s({.seed = 3, .faults = faults}),
        server(s.in().add_machine("server")),
        client(s.in().add_machine("client")),
        at_server(s.start(server, {.workers = 1})),
        at_client(s.start(client, {.workers = 1})) {}
  astd::detail::simulation s;
  driver::sim::machine& server;
  driver::sim::machine& client;
  std::unique_ptr<runtime> at_server, at_client;
};

task<std::string> texts_of(std::string where) {
  const std::vector<socket_address> found = co_await lookup_host(where);
  std::string all;
  for (const socket_address& a : found) all += a.to_string() + ' ';
  co_return all;
}

task<std::error_code> error_of(std::string where) {
  std::error_code error;
  try {
    const std::vector<socket_address> found = co_await lookup_host(where);
    EXPECT_TRUE(found.empty());
  } catch (const std::system_error& e) {
    error = e.code();
  }
  co_return error;
}

TEST(simulated_names, machines_further_names_and_nobody) {
  two_machines w;
  w.s.in().net().add_name("all", w.server);
  w.s.in().net().add_name("all", w.client);
  EXPECT_EQ(w.at_client->block_on(texts_of("server:80")), "10.0.0.1:80 ");
  EXPECT_EQ(w.at_client->block_on(texts_of("all:5")), "10.0.0.1:5 10.0.0.2:5 ");
  EXPECT_EQ(w.at_client->block_on(texts_of("localhost:5")), "127.0.0.1:5 ");
  EXPECT_EQ(w.at_client->block_on(texts_of("10.0.0.9:5")), "10.0.0.9:5 ");
  EXPECT_EQ(w.at_client->block_on(error_of("nobody:80")), std::error_code(EAI_NONAME, resolve_category()));
}

TEST(simulated_names, no_name_server_answers) {
  two_machines w(driver::sim::fault_rates().set(driver::sim::fault::lookup_failed, 1));
  EXPECT_EQ(w.at_client->block_on(error_of("server:80")), std::errc::resource_unavailable_try_again);
}

task<std::error_code> given_up() {
  std::error_code error;
  try {
    const std::vector<socket_address> found = co_await timeout(10ms, lookup_host("server:80"));
    EXPECT_TRUE(found.empty());
  } catch (const std::system_error& e) {
    error = e.code();
  }
  co_return error;
}

TEST(simulated_names, a_lookup_can_be_given_up) {
  two_machines w;
  w.s.in().net().shortest_lookup = w.s.in().net().longest_lookup = 1'000'000'000;
  EXPECT_EQ(w.at_client->block_on(given_up()), std::errc::timed_out);
  EXPECT_LT(w.s.in().now(), 900'000'000);
}

}  // namespace
}  // namespace astd::net
