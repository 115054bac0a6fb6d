// Connections of the simulated network.
#include <astd/driver/sim/test_host.hpp>

#include <cerrno>
#include <string>

namespace astd::driver::sim::testing {
namespace {

TEST(sim_tcp, a_message_and_its_answer) {
  world w({.seed = 1});
  host server(w, "server"), client(w, "client");
  const int listener = server.serve(80);
  const int fd = client.socket();
  ASSERT_EQ(client.connect(fd, address_of(server.at, 80)), 0);
  const int peer = server.accept(listener);
  ASSERT_GE(peer, 0);
  std::string got;
  ASSERT_EQ(client.send(fd, "hello"), 5);
  EXPECT_EQ(server.recv(peer, got), 5);
  EXPECT_EQ(got, "hello");
  ASSERT_EQ(server.send(peer, "and back"), 8);
  EXPECT_EQ(client.recv(fd, got), 8);
  EXPECT_EQ(got, "and back");
  EXPECT_EQ(client.close(fd), 0);
  EXPECT_EQ(server.recv(peer, got), 0);
  EXPECT_EQ(server.close(peer), 0);
  EXPECT_EQ(server.close(listener), 0);
  while (w.step()) {
  }
  EXPECT_EQ(server.at.stack().connections(), 0u);
  EXPECT_EQ(client.at.stack().connections(), 0u);
}

}  // namespace
}  // namespace astd::driver::sim::testing
