// Connections of the simulated network: how they begin and end, what each end is told, who waits for what.
#include <astd/driver/sim/test_host.hpp>

#include <cerrno>
#include <string>
#include <vector>

#include <netinet/tcp.h>
#include <poll.h>

namespace astd::driver::sim::testing {
namespace {

constexpr detail::instant millisecond = 1'000'000, second = 1'000'000'000;

// Two machines and a connection between them.
class sim_tcp : public ::testing::Test {
 protected:
  void link_up() {
    listener = server.serve(80);
    here = client.socket();
    ASSERT_EQ(client.connect(here, address_of(server.at, 80)), 0);
    there = server.accept(listener);
    ASSERT_GE(there, 0);
  }
  void run_out() {
    while (w.step()) {
    }
  }

  world w{{.seed = 7}};
  host server{w, "server"}, client{w, "client"};
  int listener = -1, here = -1, there = -1;
  std::string got;
};

TEST_F(sim_tcp, a_message_its_answer_and_the_end) {
  link_up();
  ASSERT_EQ(client.send(here, "hello"), 5);
  EXPECT_EQ(server.recv(there, got), 5);
  EXPECT_EQ(got, "hello");
  ASSERT_EQ(server.send(there, "and back"), 8);
  EXPECT_EQ(client.recv(here, got), 8);
  EXPECT_EQ(got, "and back");
  EXPECT_EQ(client.close(here), 0);
  EXPECT_EQ(server.recv(there, got), 0);
  EXPECT_EQ(server.close(there), 0);
  EXPECT_EQ(server.close(listener), 0);
  run_out();
  EXPECT_EQ(server.at.stack().connections(), 0u);
  EXPECT_EQ(client.at.stack().connections(), 0u);
}

TEST_F(sim_tcp, a_handshake_takes_the_way_there_and_back) {
  w.net().set_default_link({.shortest = 5 * millisecond, .longest = 5 * millisecond});
  listener = server.serve(80);
  here = client.socket();
  const detail::instant before = w.now();
  ASSERT_EQ(client.connect(here, address_of(server.at, 80)), 0);
  EXPECT_GE(w.now() - before, 10 * millisecond);
  EXPECT_LT(w.now() - before, 11 * millisecond);
}

TEST_F(sim_tcp, both_ends_know_their_names) {
  link_up();
  const sockaddr_in mine = client.name(here), yours = client.name(here, true);
  const sockaddr_in its = server.name(there), its_peer = server.name(there, true);
  EXPECT_EQ(mine.sin_port, its_peer.sin_port);
  EXPECT_EQ(mine.sin_addr.s_addr, its_peer.sin_addr.s_addr);
  EXPECT_EQ(yours.sin_port, htons(80));
  EXPECT_EQ(its.sin_addr.s_addr, yours.sin_addr.s_addr);
  EXPECT_EQ(ntohl(mine.sin_addr.s_addr), 0x0a000002u);
  EXPECT_GE(ntohs(mine.sin_port), 32'768);
}

TEST_F(sim_tcp, nobody_listens_nobody_is_there_no_way_leads_there) {
  here = client.socket();
  EXPECT_EQ(client.connect(here, address_of(server.at, 81)), -ECONNREFUSED);
  // The same socket may try again.
  EXPECT_EQ(client.connect(here, address_of(server.at, 82)), -ECONNREFUSED);
  sockaddr_in to = address_of(server.at, 80);
  to.sin_addr.s_addr = htonl(0x0a00ffff);
  EXPECT_EQ(client.connect(here, to), -EHOSTUNREACH);
  to.sin_addr.s_addr = htonl(0x08080808);
  EXPECT_EQ(client.connect(here, to), -ENETUNREACH);
  server.serve(80);
  EXPECT_EQ(client.connect(here, address_of(server.at, 80)), 0);
  EXPECT_EQ(client.connect(here, address_of(server.at, 80)), -EISCONN);
}

TEST_F(sim_tcp, a_machine_that_is_down_does_not_answer) {
  server.serve(80);
  server.at.crash();
  here = client.socket();
  const detail::instant before = w.now();
  EXPECT_EQ(client.connect(here, address_of(server.at, 80)), -ETIMEDOUT);
  EXPECT_EQ((w.now() - before) / second, 127);  // 1 + 2 + 4 ... + 64
}

TEST_F(sim_tcp, inside_a_machine_no_link_is_needed) {
  const int inner = server.serve(80);
  w.net().isolate(server.at);
  for (const sockaddr_in& to : {inside(80), address_of(server.at, 80)}) {
    const int fd = server.socket();
    ASSERT_EQ(server.connect(fd, to), 0);
    const int peer = server.accept(inner);
    ASSERT_EQ(server.send(fd, "x"), 1);
    EXPECT_EQ(server.recv(peer, got), 1);
    EXPECT_EQ(server.name(peer).sin_addr.s_addr, to.sin_addr.s_addr);
    EXPECT_EQ(server.name(fd).sin_addr.s_addr, to.sin_addr.s_addr);
  }
}

TEST_F(sim_tcp, ipv6_and_both) {
  const int both = server.socket(SOCK_STREAM, AF_INET6);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(80);
  ASSERT_EQ(server.bind(both, any), 0);
  ASSERT_EQ(server.listen(both), 0);
  here = client.socket(SOCK_STREAM, AF_INET6);
  sockaddr_in6 to = any;
  to.sin6_addr.s6_addr[0] = 0xfd;
  to.sin6_addr.s6_addr[15] = 1;
  ASSERT_EQ(client.connect(here, to), 0);
  const int second_one = client.socket();
  ASSERT_EQ(client.connect(second_one, address_of(server.at, 80)), 0);
  EXPECT_GE(server.accept(both), 0);
  const int mapped = server.accept(both);
  sockaddr_in6 peer{};
  unsigned length = sizeof peer;
  test_op name(opcode::peer_name, mapped);
  name.args.address = {reinterpret_cast<sockaddr*>(&peer), &length};
  ASSERT_EQ(server.run(name), 0);
  EXPECT_TRUE(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
  // One for IPv6 alone leaves the other its port.
  const int only = server.socket(SOCK_STREAM, AF_INET6);
  ASSERT_EQ(server.set(only, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
  any.sin6_port = htons(81);
  ASSERT_EQ(server.bind(only, any), 0);
  ASSERT_EQ(server.listen(only), 0);
  server.serve(81);
  const int third = client.socket(SOCK_STREAM, AF_INET6);
  to.sin6_port = htons(81);
  EXPECT_EQ(client.connect(third, to), 0);
  EXPECT_GE(server.accept(only), 0);
}

TEST_F(sim_tcp, a_full_queue_makes_the_next_wait_a_second_or_more) {
  listener = server.serve(80, 1);
  std::vector<int> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(client.socket());
    ASSERT_EQ(client.connect(clients.back(), address_of(server.at, 80)), 0);
  }
  pass(w, 10 * millisecond);
  sockaddr_in to = address_of(server.at, 80);
  unsigned length = sizeof to;
  test_op late(opcode::connect, client.socket());
  late.args.address = {reinterpret_cast<sockaddr*>(&to), &length};
  const detail::instant before = w.now();
  ASSERT_FALSE(client.submit(late));
  pass(w, 2'500 * millisecond);
  client.collect();
  EXPECT_FALSE(late.ended);
  EXPECT_GE(server.accept(listener), 0);
  EXPECT_EQ(client.finish(late), 0);
  EXPECT_EQ((w.now() - before) / second, 3);  // after 1 + 2
}

TEST_F(sim_tcp, whoever_waits_in_a_closed_listeners_queue_is_reset) {
  listener = server.serve(80);
  here = client.socket();
  ASSERT_EQ(client.connect(here, address_of(server.at, 80)), 0);
  pass(w, 10 * millisecond);
  ASSERT_EQ(server.close(listener), 0);
  EXPECT_EQ(client.recv(here, got), -ECONNRESET);
  EXPECT_EQ(client.recv(here, got), 0);
  EXPECT_EQ(client.send(here, "x"), -EPIPE);
}

TEST_F(sim_tcp, one_half_is_closed_and_the_other_goes_on) {
  link_up();
  ASSERT_EQ(client.send(here, "question"), 8);
  ASSERT_EQ(client.shutdown(here, SHUT_WR), 0);
  EXPECT_EQ(client.send(here, "more"), -EPIPE);
  EXPECT_EQ(server.recv(there, got), 8);
  EXPECT_EQ(server.recv(there, got), 0);
  ASSERT_EQ(server.send(there, "answer"), 6);
  EXPECT_EQ(client.recv(here, got), 6);
  EXPECT_EQ(client.poll(here, POLLIN | POLLOUT), POLLOUT);
  ASSERT_EQ(server.close(there), 0);
  EXPECT_EQ(client.recv(here, got), 0);
  EXPECT_EQ(client.close(here), 0);
}

TEST_F(sim_tcp, closing_with_something_unread_is_a_reset) {
  link_up();
  ASSERT_EQ(client.send(here, "unread"), 6);
  EXPECT_EQ(server.poll(there, POLLIN), POLLIN);
  ASSERT_EQ(server.close(there), 0);
  EXPECT_EQ(client.recv(here, got), -ECONNRESET);
  EXPECT_EQ(client.recv(here, got), 0);
  EXPECT_EQ(client.poll(here, POLLIN), POLLIN | POLLHUP);
}

TEST_F(sim_tcp, bytes_for_a_closed_socket_are_answered_by_a_reset) {
  link_up();
  ASSERT_EQ(server.close(there), 0);
  EXPECT_EQ(client.recv(here, got), 0);
  EXPECT_EQ(client.send(here, "too late"), 8);
  pass(w, 10 * millisecond);
  // It had been told of the end: then a reset is a broken pipe.
  EXPECT_EQ(client.send(here, "x"), -EPIPE);
  EXPECT_EQ(client.send(here, "x"), -EPIPE);
}

TEST_F(sim_tcp, a_reset_leaves_what_was_received_before) {
  link_up();
  ASSERT_EQ(client.send(here, "kept"), 4);
  pass(w, 50 * millisecond);
  ::linger now{1, 0};
  unsigned length = sizeof now;
  test_op set(opcode::set_option, here);
  set.args.option = {SOL_SOCKET, SO_LINGER, &now, &length};
  ASSERT_EQ(client.run(set), 0);
  ASSERT_EQ(client.close(here), 0);
  pass(w, 10 * millisecond);
  EXPECT_EQ(server.recv(there, got), 4);
  EXPECT_EQ(server.recv(there, got), -ECONNRESET);
  EXPECT_EQ(server.recv(there, got), 0);
}

TEST_F(sim_tcp, both_close_at_once) {
  link_up();
  ASSERT_EQ(client.close(here), 0);
  ASSERT_EQ(server.close(there), 0);
  EXPECT_EQ(client.at.stack().connections(), 1u);
  pass(w, 30 * second);
  EXPECT_EQ(client.at.stack().connections(), 1u) << "waits out its time";
  ASSERT_EQ(server.close(listener), 0);
  run_out();
  EXPECT_EQ(client.at.stack().connections(), 0u);
  EXPECT_EQ(server.at.stack().connections(), 0u);
}

TEST_F(sim_tcp, who_closes_first_keeps_the_port_for_a_minute) {
  link_up();
  ASSERT_EQ(server.close(there), 0);
  EXPECT_EQ(client.recv(here, got), 0);
  ASSERT_EQ(client.close(here), 0);
  ASSERT_EQ(server.close(listener), 0);
  pass(w, second);
  EXPECT_EQ(server.at.stack().connections(), 1u);
  const sockaddr_in at = address_of(server.at, 80);
  const int plain = server.socket(), bold = server.socket();
  EXPECT_EQ(server.bind(plain, at), -EADDRINUSE);
  ASSERT_EQ(server.set(bold, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  EXPECT_EQ(server.bind(bold, at), 0);
  EXPECT_EQ(server.close(bold), 0);
  pass(w, 60 * second);
  EXPECT_EQ(server.bind(plain, at), 0);
}

TEST_F(sim_tcp, two_listeners_do_not_share_a_port) {
  server.serve(80);
  const int other = server.socket();
  ASSERT_EQ(server.set(other, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  EXPECT_EQ(server.bind(other, address_of(server.at, 80)), -EADDRINUSE);
  EXPECT_EQ(server.bind(other, address_of(client.at, 80)), -EADDRNOTAVAIL);
  EXPECT_EQ(server.bind(other, address_of(server.at, 81)), 0);
  EXPECT_EQ(server.bind(other, address_of(server.at, 82)), -EINVAL);
  // Unless they both say so; then the connections are divided.
  int shared[2];
  for (int& fd : shared) {
    fd = server.socket();
    ASSERT_EQ(server.set(fd, SOL_SOCKET, SO_REUSEPORT, 1), 0);
    ASSERT_EQ(server.bind(fd, inside(90)), 0);
    ASSERT_EQ(server.listen(fd), 0);
  }
  for (int i = 0; i < 20; ++i) ASSERT_EQ(server.connect(server.socket(), inside(90)), 0);
  pass(w, second);
  EXPECT_EQ(server.poll(shared[0], POLLIN), POLLIN);
  EXPECT_EQ(server.poll(shared[1], POLLIN), POLLIN);
}

TEST_F(sim_tcp, ports_run_out_for_one_place_and_not_for_another) {
  client.at.stack().set_ephemeral_ports(40'000, 40'009);
  server.serve(80);
  server.serve(81);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(client.connect(client.socket(), address_of(server.at, 80)), 0) << i;
  const int last = client.socket();
  EXPECT_EQ(client.connect(last, address_of(server.at, 80)), -EADDRNOTAVAIL);
  EXPECT_EQ(client.connect(last, address_of(server.at, 81)), 0);
  const int any = client.socket();
  EXPECT_EQ(client.bind(any, inside(0)), -EADDRINUSE);
}

TEST_F(sim_tcp, a_send_waits_for_who_does_not_read) {
  link_up();
  const std::string much(100'000, 'm');
  std::size_t sent = 0;
  test_op op(opcode::send, here);
  op.args.transfer = {const_cast<char*>(much.data()), much.size(), 0, 0};
  for (;;) {
    client.submit(op);
    pass(w, second);
    client.collect();
    if (!op.ended) break;
    ASSERT_GT(op.result, 0);
    sent += static_cast<std::size_t>(op.result);
  }
  EXPECT_GE(sent, 100'000u);
  EXPECT_LE(sent, 140'000u);
  std::size_t received = 0;
  while (!op.ended) {
    ASSERT_GT(server.recv(there, got, 10'000), 0);
    received += got.size();
    pass(w, 10 * millisecond);
    client.collect();
  }
  ASSERT_GT(op.result, 0);
  sent += static_cast<std::size_t>(op.result);
  while (received < sent) {
    ASSERT_GT(server.recv(there, got, 50'000), 0);
    received += got.size();
  }
  EXPECT_EQ(received, sent);
}

// As on Linux, where every acknowledgement begins the count of probes anew.
TEST_F(sim_tcp, a_peer_that_answers_may_be_without_room_for_hours) {
  link_up();
  const std::string much(200'000, 'm');
  std::size_t sent = 0, received = 0;
  for (std::int32_t n; (n = client.send(here, much, MSG_DONTWAIT)) != -EAGAIN; pass(w, 50 * millisecond)) {
    ASSERT_GT(n, 0);
    sent += static_cast<std::size_t>(n);
  }
  for (int minute = 0; minute < 120; ++minute) pass(w, 60 * second);
  EXPECT_EQ(client.look(here), -EAGAIN);
  // Those that come after that are counted from the first on.
  while (received < sent) {
    ASSERT_GT(server.recv(there, got), 0);
    received += got.size();
  }
  EXPECT_EQ(received, sent);
  ASSERT_EQ(client.send(here, "and more"), 8);
  EXPECT_EQ(server.recv(there, got), 8);
}

TEST_F(sim_tcp, a_user_timeout_also_counts_while_probes_are_answered) {
  link_up();
  constexpr int user_timeout = 30'000;
  ASSERT_EQ(client.set(here, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout), 0);
  const std::string much(200'000, 'm');
  for (std::int32_t n; (n = client.send(here, much, MSG_DONTWAIT)) != -EAGAIN; pass(w, 50 * millisecond))
    ASSERT_GT(n, 0);
  EXPECT_EQ(client.recv(here, got), -ETIMEDOUT);
}

TEST_F(sim_tcp, a_peer_without_room_that_falls_silent_is_given_up) {
  link_up();
  const std::string much(200'000, 'm');
  for (std::int32_t n; (n = client.send(here, much, MSG_DONTWAIT)) != -EAGAIN; pass(w, 50 * millisecond))
    ASSERT_GT(n, 0);
  pass(w, 3'600 * second);
  EXPECT_EQ(client.look(here), -EAGAIN);
  server.at.crash();
  EXPECT_EQ(client.recv(here, got), -ETIMEDOUT);
}

TEST_F(sim_tcp, the_end_of_a_wait_for_room_may_be_news_that_was_lost) {
  link_up();
  const std::string much(200'000, 'm');
  std::size_t sent = 0;
  for (std::int32_t n; (n = client.send(here, much, MSG_DONTWAIT)) != -EAGAIN; pass(w, 50 * millisecond)) {
    ASSERT_GT(n, 0);
    sent += static_cast<std::size_t>(n);
  }
  // Nothing of what the reader says arrives for a while.
  w.net().partition(server.at, client.at, true);
  std::size_t received = 0;
  while (server.look(there) > 0) {
    ASSERT_GT(server.recv(there, got), 0);
    received += got.size();
    pass(w, millisecond);
  }
  w.net().heal(server.at, client.at, true);
  while (received < sent) {
    ASSERT_GT(server.recv(there, got), 0);
    received += got.size();
  }
  EXPECT_EQ(received, sent);
}

TEST_F(sim_tcp, small_writes_are_gathered_unless_nodelay) {
  w.net().set_default_link({.shortest = 20 * millisecond, .longest = 20 * millisecond});
  for (const bool no_delay : {false, true}) {
    host s(w, no_delay ? "s1" : "s2"), c(w, no_delay ? "c1" : "c2");
    const int l = s.serve(80), fd = c.socket();
    ASSERT_EQ(c.set(fd, IPPROTO_TCP, TCP_NODELAY, no_delay), 0);
    ASSERT_EQ(c.get(fd, IPPROTO_TCP, TCP_NODELAY), no_delay);
    ASSERT_EQ(c.connect(fd, address_of(s.at, 80)), 0);
    const int peer = s.accept(l);
    ASSERT_EQ(c.send(fd, "head"), 4);
    ASSERT_EQ(c.send(fd, "body"), 4);
    pass(w, 30 * millisecond);
    EXPECT_EQ(s.look(peer), no_delay ? 8 : 4);
    pass(w, second);
    EXPECT_EQ(s.look(peer), 8);
  }
}

TEST_F(sim_tcp, a_cancelled_connect_goes_on_unseen) {
  w.net().set_default_link({.shortest = 20 * millisecond, .longest = 20 * millisecond});
  listener = server.serve(80);
  here = client.socket();
  sockaddr_in to = address_of(server.at, 80);
  unsigned length = sizeof to;
  test_op op(opcode::connect, here);
  op.args.address = {reinterpret_cast<sockaddr*>(&to), &length};
  ASSERT_FALSE(client.submit(op));
  pass(w, millisecond);
  client.cancel(op);
  EXPECT_EQ(client.finish(op), -ECANCELED);
  EXPECT_EQ(client.connect(here, to), -EALREADY);
  EXPECT_GE(server.accept(listener), 0);
  EXPECT_EQ(client.connect(here, to), 0);
  EXPECT_EQ(client.connect(here, to), -EISCONN);
  // And one whose socket is closed is none.
  const int other = client.socket();
  op.fd = other;
  ASSERT_FALSE(client.submit(op));
  client.cancel(op);
  EXPECT_EQ(client.finish(op), -ECANCELED);
  EXPECT_EQ(client.close(other), 0);
  pass(w, second);
  EXPECT_EQ(server.at.stack().connections(), 1u);
}

TEST_F(sim_tcp, operations_that_wait_are_cancelled) {
  link_up();
  char byte;
  for (const opcode code : {opcode::recv, opcode::readable, opcode::read}) {
    test_op op(code, there);
    op.args.transfer = {&byte, 1, 0, -1};
    ASSERT_FALSE(server.submit(op));
    server.cancel(op);
    server.cancel(op);
    EXPECT_EQ(server.finish(op), -ECANCELED);
  }
  test_op accept(opcode::accept, listener), poll(opcode::poll, there);
  poll.args.value = POLLIN;
  for (test_op* op : {&accept, &poll}) {
    ASSERT_FALSE(server.submit(*op));
    server.cancel(*op);
    EXPECT_EQ(server.finish(*op), -ECANCELED);
  }
  ASSERT_EQ(client.send(here, "xy"), 2);
  EXPECT_EQ(server.recv(there, got), 2);
}

TEST_F(sim_tcp, a_crashed_peer_is_found_out_when_it_is_up_again) {
  link_up();
  server.at.crash();
  EXPECT_EQ(client.send(here, "anybody there?"), 14);
  pass(w, 5 * second);
  EXPECT_EQ(client.look(here), -EAGAIN);
  server.at.restart();
  EXPECT_EQ(client.recv(here, got), -ECONNRESET);
}

TEST_F(sim_tcp, a_crashed_peer_that_stays_down_is_given_up) {
  link_up();
  server.at.crash();
  EXPECT_EQ(client.send(here, "anybody there?"), 14);
  const detail::instant before = w.now();
  EXPECT_EQ(client.recv(here, got), -ETIMEDOUT);
  EXPECT_GT((w.now() - before) / second, 900);  // a quarter of an hour
  EXPECT_LT((w.now() - before) / second, 960);
}

TEST_F(sim_tcp, a_crash_ends_what_waits_and_frees_what_was_bound) {
  link_up();
  char byte;
  test_op in(opcode::recv, there), accept(opcode::accept, listener);
  in.args.transfer = {&byte, 1, 0, 0};
  ASSERT_FALSE(server.submit(in));
  ASSERT_FALSE(server.submit(accept));
  server.at.crash();
  EXPECT_EQ(server.finish(in), -ECANCELED);
  EXPECT_EQ(server.finish(accept), -ECANCELED);
  EXPECT_EQ(server.send(there, "x"), -ECANCELED);
  server.at.restart();
  EXPECT_EQ(server.recv(there, got), -ECANCELED);
  EXPECT_EQ(server.close(there), 0);
  EXPECT_EQ(server.close(listener), 0);
  listener = server.serve(80);
  EXPECT_EQ(client.connect(client.socket(), address_of(server.at, 80)), 0);
  EXPECT_GE(server.accept(listener), 0);
}

TEST_F(sim_tcp, keep_alive_finds_a_silent_peer) {
  link_up();
  ASSERT_EQ(client.set(here, IPPROTO_TCP, TCP_KEEPIDLE, 10), 0);
  ASSERT_EQ(client.set(here, IPPROTO_TCP, TCP_KEEPINTVL, 5), 0);
  ASSERT_EQ(client.set(here, IPPROTO_TCP, TCP_KEEPCNT, 3), 0);
  ASSERT_EQ(client.set(here, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
  pass(w, 100 * second);
  EXPECT_EQ(client.look(here), -EAGAIN);
  server.at.crash();
  const detail::instant before = w.now();
  EXPECT_EQ(client.recv(here, got), -ETIMEDOUT);
  EXPECT_LE((w.now() - before) / second, 26);
  EXPECT_GE((w.now() - before) / second, 14);
}

TEST_F(sim_tcp, a_partition_holds_things_up_and_nothing_is_lost) {
  link_up();
  w.net().partition(client.at, server.at);
  EXPECT_FALSE(w.net().reaches(client.at, server.at));
  ASSERT_EQ(client.send(here, "late"), 4);
  pass(w, 10 * second);
  EXPECT_EQ(server.look(there), -EAGAIN);
  w.net().heal(client.at, server.at);
  EXPECT_EQ(server.recv(there, got), 4);
  EXPECT_EQ(got, "late");
}

TEST_F(sim_tcp, a_clogged_machine_gets_everything_at_once) {
  link_up();
  w.net().clog(server.at);
  ASSERT_EQ(client.set(here, IPPROTO_TCP, TCP_NODELAY, 1), 0);
  for (const char* piece : {"one ", "two ", "three"}) ASSERT_GT(client.send(here, piece), 0);
  pass(w, 100 * millisecond);
  EXPECT_EQ(server.look(there), -EAGAIN);
  w.net().release(server.at);
  pass(w, second);
  EXPECT_EQ(server.recv(there, got), 13);
  EXPECT_EQ(got, "one two three");
}

TEST_F(sim_tcp, bytes_take_their_time_on_a_narrow_link) {
  link_up();
  w.net().link(client.at, server.at).bytes_per_second = 100'000;
  const std::string much(50'000, 'm');
  const detail::instant before = w.now();
  ASSERT_EQ(client.send(here, much), 50'000);
  std::size_t received = 0;
  while (received < much.size()) {
    ASSERT_GT(server.recv(there, got), 0);
    received += got.size();
  }
  EXPECT_GE(w.now() - before, 500 * millisecond);
  EXPECT_LE(w.now() - before, 700 * millisecond);
}

TEST_F(sim_tcp, many_connections_by_one_operation) {
  listener = server.serve(80);
  test_op many(opcode::accept_many, listener);
  std::vector<int> taken;
  ASSERT_FALSE(server.submit(many));
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(client.connect(client.socket(), address_of(server.at, 80)), 0);
    pass(w, millisecond * (i % 3));
    server.collect();
    if (!many.ended) continue;
    std::int32_t next;
    while ((next = server.d->next_connection(many)) >= 0) taken.push_back(next);
    ASSERT_EQ(next, -EAGAIN);
    many.ended = false;
  }
  pass(w, second);
  server.collect();
  if (many.ended) {
    std::int32_t next;
    while ((next = server.d->next_connection(many)) >= 0) taken.push_back(next);
    many.ended = false;
  }
  EXPECT_EQ(taken.size(), 20u);
  server.cancel(many);
  while (!many.ended && w.step()) server.collect();
  server.collect();
  ASSERT_TRUE(many.ended);
  EXPECT_EQ(server.d->next_connection(many), -ECANCELED);
  EXPECT_FALSE(many.in_flight);
}

// One end, by submit() itself: what is told later is connections.
TEST_F(sim_tcp, many_connections_where_none_can_come) {
  listener = server.serve(80);
  const int none = server.socket();
  for (int i = 0; i < 50; ++i) {
    const int descriptor = i % 3 == 0 ? none : i % 3 == 1 ? listener : -1;
    if (i == 25) server.at.crash();
    if (i < 25 && descriptor == listener) continue;
    test_op many(opcode::accept_many, descriptor);
    many.args.connections.accepted = &many;  // whatever was there
    EXPECT_TRUE(server.submit(many)) << i;
    EXPECT_EQ(many.result, i >= 25 ? -ECANCELED : descriptor == none ? -EINVAL : -EBADF) << i;
    server.cancel(many);
    EXPECT_FALSE(many.linked());
    server.collect();
    run_out();
    server.collect();
  }
}

TEST_F(sim_tcp, without_a_number_for_it_a_connection_stays_where_it_is) {
  listener = server.serve(80);
  ASSERT_EQ(client.connect(client.socket(), address_of(server.at, 80)), 0);
  server.at.set_descriptor_limit(1);
  EXPECT_EQ(server.accept(listener), -EMFILE);
  EXPECT_EQ(server.accept(listener), -EMFILE);
  server.at.set_descriptor_limit(2);
  EXPECT_GE(server.accept(listener), 0);
}

}  // namespace
}  // namespace astd::driver::sim::testing
