// What each fault of the network looks like to a program.
#include <astd/driver/sim/test_host.hpp>

#include <cerrno>
#include <string>

namespace astd::driver::sim::testing {
namespace {

class sim_network_faults : public ::testing::Test {
 protected:
  void link_up() {
    listener = server.serve(80);
    here = client.socket();
    ASSERT_EQ(client.connect(here, address_of(server.at, 80)), 0);
    there = server.accept(listener);
    ASSERT_GE(there, 0);
  }
  void from_now_on(fault what, double rate = 1) { w.set_faults(fault_rates().set(what, rate)); }

  world w{{.seed = 11}};
  host server{w, "server"}, client{w, "client"};
  int listener = -1, here = -1, there = -1;
  std::string got;
};

TEST_F(sim_network_faults, something_in_between_resets_a_connection) {
  link_up();
  from_now_on(fault::connection_reset);
  ASSERT_EQ(client.send(here, "x"), 1);
  w.set_faults({});
  pass(w, 1'000'000'000);
  EXPECT_EQ(client.recv(here, got), -ECONNRESET);
  // The byte may have come before the reset.
  std::int32_t end = server.recv(there, got);
  if (end == 1) end = server.recv(there, got);
  EXPECT_EQ(end, -ECONNRESET);
  EXPECT_EQ(w.faults_struck(), 1u);
}

TEST_F(sim_network_faults, a_connection_dies_while_it_waits) {
  listener = server.serve(80);
  here = client.socket();
  ASSERT_EQ(client.connect(here, address_of(server.at, 80)), 0);
  pass(w, 1'000'000'000);
  from_now_on(fault::connection_aborted);
  test_op accept(opcode::accept, listener);
  ASSERT_FALSE(server.submit(accept)) << "it is skipped";
  w.set_faults({});
  EXPECT_EQ(client.recv(here, got), -ECONNRESET);
  ASSERT_EQ(client.connect(client.socket(), address_of(server.at, 80)), 0);
  EXPECT_GE(server.finish(accept), 0);
}

TEST_F(sim_network_faults, less_than_was_asked_for) {
  link_up();
  from_now_on(fault::short_transfer);
  const std::int32_t sent = client.send(here, "0123456789");
  EXPECT_GE(sent, 1);
  EXPECT_LT(sent, 10);
  w.set_faults({});
  ASSERT_EQ(client.send(here, "0123456789"), 10);
  pass(w, 1'000'000'000);
  from_now_on(fault::short_transfer);
  const std::int32_t received = server.recv(there, got);
  EXPECT_GE(received, 1);
  EXPECT_LT(received, sent + 10);
}

TEST_F(sim_network_faults, ready_and_then_not) {
  link_up();
  ASSERT_EQ(client.send(here, "x"), 1);
  pass(w, 1'000'000'000);
  from_now_on(fault::spurious_readiness);
  EXPECT_EQ(server.recv(there, got, 9, MSG_DONTWAIT), -EAGAIN);
  test_op readable(opcode::readable, here);
  EXPECT_EQ(client.run(readable), 0);
  EXPECT_EQ(server.recv(there, got), 1) << "who waits is not deceived";
}

TEST_F(sim_network_faults, no_numbers_and_no_memory) {
  from_now_on(fault::no_descriptors);
  EXPECT_EQ(client.socket(), -EMFILE);
  from_now_on(fault::no_memory);
  EXPECT_EQ(client.socket(), -ENOBUFS);
  w.set_faults({});
  here = client.socket();
  ASSERT_GE(here, 0);
  from_now_on(fault::no_memory);
  EXPECT_EQ(client.connect(here, address_of(server.at, 80)), -ENOBUFS);
}

TEST_F(sim_network_faults, a_lost_packet_is_sent_again) {
  link_up();
  from_now_on(fault::packet_lost);
  ASSERT_EQ(client.send(here, "x"), 1);
  w.set_faults({});
  const detail::instant before = w.now();
  EXPECT_EQ(server.recv(there, got), 1);
  EXPECT_GE(w.now() - before, 190'000'000);
  EXPECT_LE(w.now() - before, 250'000'000);
}

}  // namespace
}  // namespace astd::driver::sim::testing
