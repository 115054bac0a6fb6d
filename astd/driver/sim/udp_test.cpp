// Datagrams of the simulated network.
#include <astd/driver/sim/test_host.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <poll.h>

namespace astd::driver::sim::testing {
namespace {

constexpr detail::instant millisecond = 1'000'000, second = 1'000'000'000;

class sim_udp : public ::testing::Test {
 protected:
  void SetUp() override {
    there = server.socket(SOCK_DGRAM);
    ASSERT_EQ(server.bind(there, address_of(server.at, 53)), 0);
    here = client.socket(SOCK_DGRAM);
  }
  std::int32_t send_to(host& h, int fd, const sockaddr_in& to, std::string_view bytes) {
    sockaddr_in address = to;
    iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr m{};
    m.msg_name = &address;
    m.msg_namelen = sizeof address;
    m.msg_iov = &piece;
    m.msg_iovlen = 1;
    test_op op(opcode::sendmsg, fd);
    op.args.message = {&m, 0};
    return h.run(op);
  }
  std::int32_t receive_from(host& h, int fd, std::size_t most, int flags = 0) {
    got.resize(most);
    iovec piece{got.data(), most};
    msghdr m{};
    from = {};
    m.msg_name = &from;
    m.msg_namelen = sizeof from;
    m.msg_iov = &piece;
    m.msg_iovlen = 1;
    test_op op(opcode::recvmsg, fd);
    op.args.message = {&m, flags};
    const std::int32_t result = h.run(op);
    got_flags = m.msg_flags;
    if (result >= 0) got.resize(std::min(most, static_cast<std::size_t>(result)));
    return result;
  }

  world w{{.seed = 5}};
  host server{w, "server"}, client{w, "client"};
  int here = -1, there = -1;
  std::string got;
  sockaddr_in from{};
  int got_flags = 0;
};

TEST_F(sim_udp, a_datagram_and_its_answer) {
  ASSERT_EQ(send_to(client, here, address_of(server.at, 53), "question"), 8);
  ASSERT_EQ(receive_from(server, there, 100), 8);
  EXPECT_EQ(got, "question");
  EXPECT_EQ(ntohl(from.sin_addr.s_addr), 0x0a000002u);
  ASSERT_EQ(send_to(server, there, from, "answer"), 6);
  ASSERT_EQ(receive_from(client, here, 100), 6);
  EXPECT_EQ(got, "answer");
  EXPECT_EQ(from.sin_port, htons(53));
  EXPECT_EQ(server.close(there), 0);
  EXPECT_EQ(client.close(here), 0);
}

TEST_F(sim_udp, what_does_not_fit_is_cut_and_nothing_is_something) {
  ASSERT_EQ(send_to(client, here, address_of(server.at, 53), "0123456789"), 10);
  EXPECT_EQ(receive_from(server, there, 4, MSG_PEEK | MSG_TRUNC), 10);
  EXPECT_EQ(receive_from(server, there, 4), 4);
  EXPECT_EQ(got, "0123");
  EXPECT_TRUE(got_flags & MSG_TRUNC);
  ASSERT_EQ(send_to(client, here, address_of(server.at, 53), ""), 0);
  EXPECT_EQ(receive_from(server, there, 4), 0);
  EXPECT_EQ(from.sin_port, client.name(here).sin_port);
}

TEST_F(sim_udp, too_long_nowhere_to_and_no_way) {
  const std::string longest(65'507, 'x');
  EXPECT_EQ(send_to(client, here, address_of(server.at, 53), longest + 'x'), -EMSGSIZE);
  EXPECT_EQ(send_to(client, here, address_of(server.at, 53), longest), 65'507);
  EXPECT_EQ(receive_from(server, there, 70'000), 65'507);
  EXPECT_EQ(client.send(here, "x"), -EDESTADDRREQ);
  sockaddr_in away = address_of(server.at, 53);
  away.sin_addr.s_addr = htonl(0x08080808);
  EXPECT_EQ(send_to(client, here, away, "x"), -ENETUNREACH);
}

TEST_F(sim_udp, only_who_is_connected_is_told_that_nobody_is_there) {
  ASSERT_EQ(send_to(client, here, address_of(server.at, 54), "x"), 1);
  pass(w, second);
  EXPECT_EQ(client.look(here), -EAGAIN);
  ASSERT_EQ(client.connect(here, address_of(server.at, 54)), 0);
  ASSERT_EQ(client.send(here, "x"), 1);
  pass(w, second);
  EXPECT_EQ(client.poll(here, POLLIN), POLLERR);
  EXPECT_EQ(client.get(here, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
  ASSERT_EQ(client.send(here, "x"), 1);
  EXPECT_EQ(client.recv(here, got), -ECONNREFUSED);
  ASSERT_EQ(client.send(here, "x"), 1);
  pass(w, second);
  EXPECT_EQ(client.send(here, "x"), -ECONNREFUSED);
  EXPECT_EQ(client.send(here, "x"), 1);
}

TEST_F(sim_udp, who_is_connected_hears_only_its_peer) {
  ASSERT_EQ(client.bind(here, address_of(client.at, 1'000)), 0);
  ASSERT_EQ(client.connect(here, address_of(server.at, 53)), 0);
  const int stranger = server.socket(SOCK_DGRAM);
  ASSERT_EQ(send_to(server, stranger, address_of(client.at, 1'000), "stranger"), 8);
  pass(w, 10 * millisecond);
  ASSERT_EQ(send_to(server, there, address_of(client.at, 1'000), "peer"), 4);
  EXPECT_EQ(receive_from(client, here, 100), 4);
  EXPECT_EQ(got, "peer");
  EXPECT_EQ(client.look(here), -EAGAIN);
}

TEST_F(sim_udp, a_full_socket_drops_what_comes) {
  ASSERT_EQ(server.set(there, SOL_SOCKET, SO_RCVBUF, 10'000), 0);
  EXPECT_EQ(server.get(there, SOL_SOCKET, SO_RCVBUF), 20'000);
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(send_to(client, here, address_of(server.at, 53), std::string(1'000, 'x')), 1'000);
  pass(w, second);
  int received = 0;
  while (server.look(there) > 0) {
    ASSERT_EQ(receive_from(server, there, 2'000), 1'000);
    ++received;
  }
  EXPECT_GE(received, 5);
  EXPECT_LE(received, 20);
}

TEST_F(sim_udp, some_are_lost_some_come_twice_some_overtake) {
  w.net().link(client.at, server.at).loss = 0.2;
  w.net().link(client.at, server.at).duplication = 0.2;
  constexpr int count = 1'000;
  std::vector<int> times(count), order;
  for (int i = 0; i < count; ++i) {
    ASSERT_EQ(send_to(client, here, address_of(server.at, 53),
                      std::string_view(reinterpret_cast<const char*>(&i), sizeof i)),
              static_cast<int>(sizeof i));
    if (i % 10 != 9) continue;
    pass(w, 2 * millisecond);
    while (server.look(there) > 0) {
      ASSERT_EQ(receive_from(server, there, 100), static_cast<int>(sizeof i));
      int which;
      std::memcpy(&which, got.data(), sizeof which);
      ASSERT_GE(which, 0);
      ASSERT_LT(which, count);
      ++times[static_cast<std::size_t>(which)];
      order.push_back(which);
    }
  }
  const auto lost = std::ranges::count(times, 0), twice = std::ranges::count(times, 2);
  EXPECT_GT(lost, count / 10);
  EXPECT_LT(lost, count / 3);
  EXPECT_GT(twice, count / 20);
  EXPECT_LT(twice, count / 3);
  EXPECT_EQ(std::ranges::count_if(times, [](int n) { return n > 2; }), 0);
  EXPECT_FALSE(std::ranges::is_sorted(order));
}

TEST_F(sim_udp, a_crash_frees_the_port) {
  ASSERT_EQ(send_to(client, here, address_of(server.at, 53), "x"), 1);
  server.at.crash();
  pass(w, second);
  server.at.restart();
  EXPECT_EQ(server.recv(there, got), -ECANCELED);
  const int again = server.socket(SOCK_DGRAM);
  ASSERT_EQ(server.bind(again, address_of(server.at, 53)), 0);
  EXPECT_EQ(server.look(again), -EAGAIN);
  ASSERT_EQ(send_to(client, here, address_of(server.at, 53), "y"), 1);
  EXPECT_EQ(receive_from(server, again, 9), 1);
}

TEST_F(sim_udp, names) {
  w.net().add_name("dns", server.at);
  w.net().add_name("dns", client.at);
  EXPECT_EQ(w.net().addresses_of("server"), std::vector<ip>{v4_of(0)});
  EXPECT_EQ(w.net().addresses_of("dns"), (std::vector<ip>{v4_of(0), v4_of(1)}));
  EXPECT_EQ(w.net().addresses_of("localhost"), std::vector<ip>{ip::v4_loopback()});
  EXPECT_TRUE(w.net().addresses_of("nobody").empty());
  w.net().names_have_v6 = true;
  EXPECT_EQ(w.net().addresses_of("server"), (std::vector<ip>{v4_of(0), v6_of(0)}));
}

}  // namespace
}  // namespace astd::driver::sim::testing
