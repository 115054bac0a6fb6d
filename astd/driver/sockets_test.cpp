// Sockets on every driver: connections, transfers in both directions, what is known after short reads, ends and errors.
#include <astd/base/test_descriptors.hpp>
#include <astd/driver/test_loop.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/un.h>
#include <unistd.h>

namespace astd::driver::testing {
namespace {

class sockets : public on_each_driver {};

TEST_P(sockets, a_message_that_is_there_is_received) {
  test_loop loop(wanted());
  pair p;
  char buffer[16];
  ASSERT_EQ(loop.run(sending(p.ends[0], "hello", 5)), 5);
  ASSERT_EQ(loop.run(receiving(p.ends[1], buffer, sizeof buffer)), 5);
  EXPECT_EQ(std::memcmp(buffer, "hello", 5), 0);
}

TEST_P(sockets, a_receive_waits_for_its_message) {
  test_loop loop(wanted());
  pair p;
  char buffer[16];
  for (int i = 0; i < 100; ++i) {
    auto in = receiving(p.ends[1], buffer, sizeof buffer);
    ASSERT_FALSE(loop.submit(in));
    EXPECT_TRUE(in.in_flight);
    loop.collect();
    ASSERT_FALSE(in.has_ended());
    ASSERT_EQ(loop.run(sending(p.ends[0], &i, sizeof i)), static_cast<int>(sizeof i));
    ASSERT_EQ(loop.finish(in), static_cast<int>(sizeof i));
    EXPECT_FALSE(in.in_flight);
    EXPECT_EQ(std::memcmp(buffer, &i, sizeof i), 0);
  }
}

TEST_P(sockets, a_receive_ends_with_zero_when_the_peer_closes) {
  test_loop loop(wanted());
  pair p;
  char buffer[16];
  auto in = receiving(p.ends[1], buffer, sizeof buffer);
  ASSERT_FALSE(loop.submit(in));
  loop.collect();
  close_in(loop, std::exchange(p.ends[0], -1));
  EXPECT_EQ(loop.finish(in), 0);
  EXPECT_EQ(loop.run(receiving(p.ends[1], buffer, sizeof buffer)), 0);
}

TEST_P(sockets, sending_to_a_closed_peer_is_an_error_and_no_signal) {
  test_loop loop(wanted());
  ASSERT_EQ(::signal(SIGPIPE, SIG_DFL), SIG_DFL);
  pair p;
  close_in(loop, std::exchange(p.ends[0], -1));
  EXPECT_EQ(loop.run(sending(p.ends[1], "x", 1)), -EPIPE);
  iovec part{const_cast<char*>("x"), 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  test_operation op(opcode::sendmsg, p.ends[1]);
  op.args.message = {&message, 0};
  EXPECT_EQ(loop.run(op), -EPIPE);
  // Opcodes of files take sockets, too.
  EXPECT_EQ(loop.run(transferring(opcode::write, p.ends[1], "x", 1, -1)), -EPIPE);
}

TEST_P(sockets, who_only_sends_or_only_receives_needs_no_turns) {
  test_loop loop(wanted());
  pair p;
  constexpr unsigned char count = 20;
  unsigned char in = 0;
  for (unsigned char i = 0; i < count; ++i) {
    auto s = sending(p.ends[0], &i, 1);
    EXPECT_TRUE(loop.submit(s) || i == 0) << int{i};
    EXPECT_EQ(loop.finish(s), 1);
  }
  for (unsigned char i = 0; i < count; ++i) {
    auto r = receiving(p.ends[1], &in, 1);
    EXPECT_TRUE(loop.submit(r) || i == 0) << int{i};
    EXPECT_EQ(loop.finish(r), 1);
    EXPECT_EQ(in, i);
  }
  // One that waits is not harmed by the attempt before it.
  auto r = receiving(p.ends[1], &in, 1);
  EXPECT_FALSE(loop.submit(r));
  EXPECT_EQ(loop.run(sending(p.ends[0], "x", 1)), 1);
  EXPECT_EQ(loop.finish(r), 1);
  EXPECT_EQ(in, 'x');
}

TEST_P(sockets, a_send_waits_for_room_and_nothing_is_lost) {
  test_loop loop(wanted());
  pair p;
  int small = 4096;
  ASSERT_EQ(::setsockopt(p.ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
  std::vector<unsigned char> out(1 << 20), in(out.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<unsigned char>(i * 2654435761u >> 24);
  std::size_t sent = 0, got = 0;
  auto s = sending(p.ends[0], out.data(), out.size());
  auto r = receiving(p.ends[1], in.data(), 10'000);
  loop.submit(s);
  loop.submit(r);
  while (got < in.size()) {
    if (s.has_ended() && sent < out.size()) {
      ASSERT_GT(s.result, 0);
      sent += static_cast<std::size_t>(s.result);
      s.args.transfer.data = out.data() + sent;
      s.args.transfer.size = out.size() - sent;
      if (sent < out.size()) loop.submit(s);
    }
    if (r.has_ended()) {
      ASSERT_GT(r.result, 0);
      got += static_cast<std::size_t>(r.result);
      r.args.transfer.data = in.data() + got;
      r.args.transfer.size = std::min<std::size_t>(10'000, in.size() - got);
      if (got < in.size()) loop.submit(r);
    }
    if (!(r.has_ended() || (s.has_ended() && sent < out.size()))) loop.turn();
  }
  EXPECT_EQ(in, out);
}

TEST_P(sockets, several_waiters_are_all_served) {
  test_loop loop(wanted());
  pair p;
  std::array<char, 4> buffers[3];
  auto a = receiving(p.ends[1], buffers[0].data(), 4);
  auto b = receiving(p.ends[1], buffers[1].data(), 4);
  auto c = receiving(p.ends[1], buffers[2].data(), 4);
  for (test_operation* op : {&a, &b, &c}) {
    ASSERT_FALSE(loop.submit(*op));
    loop.collect();
  }
  ASSERT_EQ(loop.run(sending(p.ends[0], "aaaabbbbcccc", 12)), 12);
  EXPECT_EQ(loop.finish(a), 4);
  EXPECT_EQ(loop.finish(b), 4);
  EXPECT_EQ(loop.finish(c), 4);
  // Each got one; which one is the kernel's choice on the ring.
  std::array<std::string, 3> got;
  for (std::size_t i = 0; i < 3; ++i) got[i].assign(buffers[i].data(), 4);
  if (!is_epoll()) std::sort(got.begin(), got.end());
  EXPECT_EQ(got, (std::array<std::string, 3>{"aaaa", "bbbb", "cccc"}));
}

TEST_P(sockets, both_directions_of_one_socket_wait_at_once) {
  test_loop loop(wanted());
  pair p;
  std::vector<char> much(1 << 20, 'm');
  char buffer[16];
  auto in = receiving(p.ends[0], buffer, sizeof buffer);
  ASSERT_FALSE(loop.submit(in));
  // Fill it up until a send waits.
  auto out = sending(p.ends[0], much.data(), much.size());
  while (loop.submit(out) || (loop.collect(), out.has_ended())) ASSERT_GT(out.result, 0);
  ASSERT_FALSE(in.has_ended());
  ASSERT_EQ(::send(p.ends[1], "hi", 2, MSG_NOSIGNAL), 2);
  EXPECT_EQ(loop.finish(in), 2);
  std::vector<char> sink(1 << 20);
  while (!out.has_ended()) {
    while (::recv(p.ends[1], sink.data(), sink.size(), MSG_DONTWAIT) > 0) {
    }
    loop.turn(loop.d.now() + 1'000'000);
  }
  EXPECT_GT(out.result, 0);
}

TEST_P(sockets, dont_wait_ends_at_once) {
  test_loop loop(wanted());
  pair p;
  char buffer[16];
  EXPECT_EQ(loop.run(receiving(p.ends[1], buffer, 16, MSG_DONTWAIT)), -EAGAIN);
  EXPECT_EQ(loop.run(receiving(p.ends[1], buffer, 16, MSG_DONTWAIT)), -EAGAIN);
  ASSERT_EQ(loop.run(sending(p.ends[0], "x", 1, MSG_DONTWAIT)), 1);
  EXPECT_EQ(loop.run(receiving(p.ends[1], buffer, 16, MSG_DONTWAIT)), 1);
}

TEST_P(sockets, datagrams_come_one_by_one_however_short) {
  test_loop loop(wanted());
  pair p(SOCK_DGRAM);
  char buffer[64];
  for (int round = 0; round < 3; ++round) {
    auto first = receiving(p.ends[1], buffer, sizeof buffer);
    ASSERT_FALSE(loop.submit(first));
    loop.collect();
    for (int i = 0; i < 3; ++i) ASSERT_EQ(::send(p.ends[0], "abc", 3, 0), 3);
    EXPECT_EQ(loop.finish(first), 3);
    EXPECT_EQ(loop.run(receiving(p.ends[1], buffer, sizeof buffer)), 3);
    EXPECT_EQ(loop.run(receiving(p.ends[1], buffer, sizeof buffer)), 3);
  }
}

TEST_P(sockets, messages_with_several_parts) {
  test_loop loop(wanted());
  pair p;
  char a[3], b[8];
  iovec in[2] = {{a, sizeof a}, {b, sizeof b}};
  msghdr received{};
  received.msg_iov = in;
  received.msg_iovlen = 2;
  test_operation r(opcode::recvmsg, p.ends[1]);
  r.args.message = {&received, 0};
  ASSERT_FALSE(loop.submit(r));
  iovec out[2] = {{const_cast<char*>("one"), 3}, {const_cast<char*>("two"), 3}};
  msghdr sent{};
  sent.msg_iov = out;
  sent.msg_iovlen = 2;
  test_operation s(opcode::sendmsg, p.ends[0]);
  s.args.message = {&sent, 0};
  EXPECT_EQ(loop.run(s), 6);
  EXPECT_EQ(loop.finish(r), 6);
  EXPECT_EQ(std::string(a, 3) + std::string(b, 3), "onetwo");
}

TEST_P(sockets, connect_and_accept) {
  test_loop loop(wanted());
  listening server(loop);
  test_operation accept(opcode::accept, server.fd);
  ASSERT_FALSE(loop.submit(accept));
  test_operation make(opcode::socket);
  make.args.socket = {AF_INET, SOCK_STREAM, 0};
  const int client = loop.run(make);
  ASSERT_GE(client, 0);
  test_operation connect(opcode::connect, client);
  unsigned length = sizeof server.address;
  connect.args.address = {reinterpret_cast<sockaddr*>(&server.address), &length};
  EXPECT_EQ(loop.run(connect), 0);
  const int peer = loop.finish(accept);
  ASSERT_GE(peer, 0);
  for (int fd : {client, peer}) {
    EXPECT_TRUE(::fcntl(fd, F_GETFL) & O_NONBLOCK);
    EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
  }
  sockaddr_in remote{};
  unsigned remote_length = sizeof remote;
  test_operation name(opcode::peer_name, client);
  name.args.address = {reinterpret_cast<sockaddr*>(&remote), &remote_length};
  EXPECT_EQ(loop.run(name), 0);
  EXPECT_EQ(remote.sin_port, server.address.sin_port);
  // TCP: a short read says "drained"; the next message and the end must be seen all the same.
  char buffer[64];
  for (int i = 0; i < 50; ++i) {
    auto in = receiving(peer, buffer, sizeof buffer);
    loop.submit(in);
    ASSERT_EQ(loop.run(sending(client, "abcdefgh", 8)), 8);
    ASSERT_EQ(loop.finish(in), 8);
  }
  ASSERT_EQ(loop.run(sending(client, "last", 4)), 4);
  close_in(loop, client);
  EXPECT_EQ(loop.run(receiving(peer, buffer, sizeof buffer)), 4);
  EXPECT_EQ(loop.run(receiving(peer, buffer, sizeof buffer)), 0);
  close_in(loop, peer);
}

TEST_P(sockets, the_end_is_seen_when_it_came_together_with_the_last_bytes) {
  test_loop loop(wanted());
  listening server(loop);
  for (int i = 0; i < 20; ++i) {
    const int client = server.dial();
    test_operation accept(opcode::accept, server.fd);
    const int peer = loop.run(accept);
    ASSERT_GE(peer, 0);
    char buffer[64];
    auto in = receiving(peer, buffer, sizeof buffer);
    ASSERT_FALSE(loop.submit(in));
    loop.collect();
    ASSERT_EQ(::send(client, "bye", 3, 0), 3);
    ::close(client);
    EXPECT_EQ(loop.finish(in), 3);
    EXPECT_EQ(loop.run(receiving(peer, buffer, sizeof buffer)), 0);
    close_in(loop, peer);
  }
}

TEST_P(sockets, urgent_data_does_not_hide_what_follows) {
  test_loop loop(wanted());
  listening server(loop);
  const int client = server.dial();
  test_operation accept(opcode::accept, server.fd);
  const int peer = loop.run(accept);
  char buffer[64];
  auto in = receiving(peer, buffer, sizeof buffer);
  ASSERT_FALSE(loop.submit(in));
  loop.collect();
  // The kernel ends a read at the urgent byte, though more lies behind it.
  ASSERT_EQ(::send(client, "abc", 3, 0), 3);
  ASSERT_EQ(::send(client, "!", 1, MSG_OOB), 1);
  ASSERT_EQ(::send(client, "def", 3, 0), 3);
  std::string all;
  loop.finish(in);
  all.append(buffer, static_cast<std::size_t>(in.result));
  while (all.size() < 6) {
    loop.run(in);
    ASSERT_GT(in.result, 0);
    all.append(buffer, static_cast<std::size_t>(in.result));
  }
  EXPECT_EQ(all, "abcdef");
  ::close(client);
  close_in(loop, peer);
}

TEST_P(sockets, a_refused_connection_is_an_error) {
  test_loop loop(wanted());
  sockaddr_in address;
  {
    listening gone(loop);
    address = gone.address;
  }
  test_operation make(opcode::socket);
  make.args.socket = {AF_INET, SOCK_STREAM, 0};
  const int client = loop.run(make);
  unsigned length = sizeof address;
  test_operation connect(opcode::connect, client);
  connect.args.address = {reinterpret_cast<sockaddr*>(&address), &length};
  EXPECT_EQ(loop.run(connect), -ECONNREFUSED);
  close_in(loop, client);
}

// On the loopback a connection is made, or refused, inside the call, unless the listener's queue is full: then the
// first packet is dropped, and the next comes a second later.
TEST_P(sockets, a_connection_that_takes_its_time) {
  test_loop loop(wanted());
  auto busy = std::make_unique<listening>(loop, 0), doomed = std::make_unique<listening>(loop, 0);
  const int first = busy->dial(), other = doomed->dial();
  struct attempt_of {
    attempt_of(test_loop& loop, const listening& to) : address(to.address), connect(opcode::connect) {
      test_operation make(opcode::socket);
      make.args.socket = {AF_INET, SOCK_STREAM, 0};
      connect.fd = loop.run(make);
      connect.args.address = {reinterpret_cast<sockaddr*>(&address), &length};
    }
    sockaddr_in address;
    unsigned length = sizeof(sockaddr_in);
    test_operation connect;
  };
  attempt_of good(loop, *busy), bad(loop, *doomed), given_up(loop, *busy);
  for (attempt_of* a : {&good, &bad, &given_up}) ASSERT_FALSE(loop.submit(a->connect));
  for (int i = 0; i < 5; ++i) loop.turn(0);
  for (attempt_of* a : {&good, &bad, &given_up}) ASSERT_FALSE(a->connect.has_ended());
  loop.cancel(given_up.connect);
  EXPECT_EQ(loop.finish(given_up.connect), -ECANCELED);
  close_in(loop, given_up.connect.fd);
  test_operation accept(opcode::accept, busy->fd);
  const int peer = loop.run(accept);
  ASSERT_GE(peer, 0);
  doomed.reset();
  EXPECT_EQ(loop.finish(good.connect), 0);
  EXPECT_EQ(loop.finish(bad.connect), -ECONNREFUSED);
  EXPECT_EQ(loop.run(sending(good.connect.fd, "x", 1)), 1);
  for (int fd : {good.connect.fd, bad.connect.fd, peer}) close_in(loop, fd);
  for (int fd : {first, other}) ::close(fd);
}

TEST_P(sockets, options_are_set_and_read) {
  test_loop loop(wanted());
  listening server(loop);
  int value = 1;
  unsigned length = sizeof value;
  test_operation set(opcode::set_option, server.fd);
  set.args.option = {IPPROTO_TCP, TCP_NODELAY, &value, &length};
  EXPECT_EQ(loop.run(set), 0);
  int got = 0;
  test_operation get(opcode::get_option, server.fd);
  get.args.option = {IPPROTO_TCP, TCP_NODELAY, &got, &length};
  EXPECT_EQ(loop.run(get), 0);
  EXPECT_EQ(got, 1);
  test_operation bad(opcode::shutdown, server.fd + 1000);
  EXPECT_EQ(loop.run(bad), -EBADF);
}

TEST_P(sockets, shutdown_ends_a_waiting_receive) {
  test_loop loop(wanted());
  pair p;
  char buffer[8];
  auto in = receiving(p.ends[0], buffer, sizeof buffer);
  ASSERT_FALSE(loop.submit(in));
  loop.collect();
  test_operation down(opcode::shutdown, p.ends[0]);
  down.args.value = SHUT_RDWR;
  EXPECT_EQ(loop.run(down), 0);
  EXPECT_EQ(loop.finish(in), 0);
}

TEST_P(sockets, poll_reports_what_holds) {
  test_loop loop(wanted());
  pair p;
  EXPECT_EQ(loop.run(polling(p.ends[0], POLLOUT)), POLLOUT);
  auto in = polling(p.ends[0], POLLIN);
  ASSERT_FALSE(loop.submit(in));
  auto also = polling(p.ends[0], POLLIN | POLLRDHUP);
  ASSERT_FALSE(loop.submit(also));
  loop.collect();
  ASSERT_FALSE(in.has_ended());
  ASSERT_EQ(::send(p.ends[1], "x", 1, 0), 1);
  EXPECT_EQ(loop.finish(in), POLLIN);
  EXPECT_EQ(loop.finish(also), POLLIN);
  // Level-triggered: it still holds.
  EXPECT_EQ(loop.run(polling(p.ends[0], POLLIN)), POLLIN);
  EXPECT_EQ(loop.run(polling(-1, POLLIN)), -EBADF);
}

TEST_P(sockets, readable_waits_for_bytes_and_leaves_them) {
  test_loop loop(wanted());
  pair p;
  char buffer[16];
  for (int i = 0; i < 20; ++i) {
    test_operation in(opcode::readable, p.ends[1]);
    ASSERT_FALSE(loop.submit(in));
    loop.collect();
    ASSERT_FALSE(in.has_ended());
    ASSERT_EQ(loop.run(sending(p.ends[0], "hello", 5)), 5);
    ASSERT_GE(loop.finish(in), 0);
    // As long as there is something, at once again.
    ASSERT_EQ(loop.run(receiving(p.ends[1], buffer, 2)), 2);
    test_operation more(opcode::readable, p.ends[1]);
    ASSERT_GE(loop.run(more), 0);
    ASSERT_EQ(loop.run(receiving(p.ends[1], buffer, sizeof buffer)), 3);
  }
  // With a receive that waits for the same bytes, both end.
  auto receive = receiving(p.ends[1], buffer, sizeof buffer);
  ASSERT_FALSE(loop.submit(receive));
  test_operation in(opcode::readable, p.ends[1]);
  ASSERT_FALSE(loop.submit(in));
  loop.collect();
  ASSERT_EQ(loop.run(sending(p.ends[0], "x", 1)), 1);
  EXPECT_EQ(loop.finish(receive), 1);
  ASSERT_EQ(loop.run(sending(p.ends[0], "y", 1)), 1);
  EXPECT_GE(loop.finish(in), 0);
  test_operation late(opcode::readable, p.ends[1]);
  EXPECT_GE(loop.run(late), 0);
  ASSERT_EQ(loop.run(receiving(p.ends[1], buffer, sizeof buffer)), 1);
  // The end counts, and one that is cancelled leaves no trace.
  test_operation cancelled(opcode::readable, p.ends[1]);
  ASSERT_FALSE(loop.submit(cancelled));
  loop.cancel(cancelled);
  EXPECT_EQ(loop.finish(cancelled), -ECANCELED);
  test_operation end(opcode::readable, p.ends[1]);
  ASSERT_FALSE(loop.submit(end));
  loop.collect();
  close_in(loop, std::exchange(p.ends[0], -1));
  EXPECT_GE(loop.finish(end), 0);
  EXPECT_EQ(loop.run(receiving(p.ends[1], buffer, sizeof buffer)), 0);
}

TEST_P(sockets, writable_waits_for_room) {
  test_loop loop(wanted());
  pair p;
  std::vector<char> much(1 << 16, 'x');
  test_operation at_once(opcode::writable, p.ends[0]);
  EXPECT_GE(loop.run(at_once), 0);
  while (loop.run(sending(p.ends[0], much.data(), much.size(), MSG_DONTWAIT)) > 0) {
  }
  test_operation out(opcode::writable, p.ends[0]);
  ASSERT_FALSE(loop.submit(out));
  loop.collect();
  ASSERT_FALSE(out.has_ended());
  while (loop.run(receiving(p.ends[1], much.data(), much.size(), MSG_DONTWAIT)) > 0) {
  }
  EXPECT_GE(loop.finish(out), 0);
  EXPECT_GT(loop.run(sending(p.ends[0], "x", 1)), 0);
}

TEST_P(sockets, bad_descriptors_are_errors) {
  test_loop loop(wanted());
  char buffer[8];
  EXPECT_EQ(loop.run(receiving(-1, buffer, 8)), -EBADF);
  EXPECT_EQ(loop.run(receiving(100'000, buffer, 8)), -EBADF);
  EXPECT_EQ(loop.run(transferring(opcode::read, -1, buffer, 8, -1)), -EBADF);
  test_operation readable(opcode::readable, -1);
  EXPECT_EQ(loop.run(readable), -EBADF);
  test_operation close(opcode::close, 100'000);
  EXPECT_EQ(loop.run(close), -EBADF);
}

TEST_P(sockets, more_operations_at_once_than_any_queue_holds) {
  if (test::lacks_descriptors(4100)) return;
  test_loop loop(wanted());
  constexpr int count = 2'000;
  const auto pairs = std::make_unique<std::unique_ptr<pair>[]>(count);
  std::vector<std::unique_ptr<test_operation>> in;
  std::vector<char> buffers(count);
  for (int i = 0; i < count; ++i) {
    pairs[static_cast<std::size_t>(i)] = std::make_unique<pair>();
    auto op = std::make_unique<test_operation>(opcode::recv, pairs[static_cast<std::size_t>(i)]->ends[1]);
    op->args.transfer = {&buffers[static_cast<std::size_t>(i)], 1, 0, 0};
    ASSERT_FALSE(loop.submit(*op));
    in.push_back(std::move(op));
  }
  for (int i = 0; i < count; ++i) ASSERT_EQ(::send(pairs[static_cast<std::size_t>(i)]->ends[0], "x", 1, 0), 1);
  for (auto& op : in) EXPECT_EQ(loop.finish(*op), 1);
  const std::uint64_t submitted = loop.d.count().submitted;
  EXPECT_EQ(submitted, static_cast<std::uint64_t>(count));
  EXPECT_EQ(loop.d.count().completed, submitted);
}

TEST_P(sockets, more_completions_at_once_than_any_queue_holds) {
  if (test::lacks_descriptors(100)) return;
  test_loop loop(wanted());
  constexpr int connections = 20, waiters = 400;
  std::vector<std::unique_ptr<pair>> pairs;
  std::vector<std::unique_ptr<test_operation>> in;
  char byte = 0;
  for (int i = 0; i < connections; ++i) {
    pairs.push_back(std::make_unique<pair>());
    for (int k = 0; k < waiters; ++k) {
      in.push_back(std::make_unique<receiving>(pairs.back()->ends[1], &byte, 1));
      ASSERT_FALSE(loop.submit(*in.back()));
    }
  }
  loop.collect();
  // Whole batches end inside one system call, and nobody has collected anything.
  for (auto& p : pairs) ::shutdown(p->ends[0], SHUT_RDWR);
  for (int i = 0; i < 5'000; ++i) loop.d.wake();
  for (auto& op : in) ASSERT_EQ(loop.finish(*op), 0);
  // Nor has the wakeup been forgotten in the crowd.
  for (int i = 0; i < 5; ++i) {
    loop.turn(0);
    std::thread other([&] { loop.d.wake(); });
    loop.d.prepare_wait();
    loop.d.wait(detail::never);
    other.join();
  }
}

ASTD_ON_EACH_DRIVER(sockets);

}  // namespace
}  // namespace astd::driver::testing
