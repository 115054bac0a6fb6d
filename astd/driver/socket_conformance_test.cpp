// What an operation on a socket answers, by errno and result: the same on every driver, and in the simulator. All of it
// stays inside the machine. Where they differ, the simulator is wrong.
#include <astd/driver/test_loop.hpp>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace astd::driver::testing {
namespace {

class socket_conformance : public on_each_driver {
 protected:
  void SetUp() override {
    on_each_driver::SetUp();
    if (!IsSkipped()) loop.emplace(wanted());
  }
  void TearDown() override {
    if (!loop) return;
    for (const int fd : opened)
      if (fd >= 0) static_cast<void>(close(fd));
    loop.reset();
  }

  int socket(int type = SOCK_STREAM, int family = AF_INET) {
    const int fd = make(family, type, 0);
    EXPECT_GE(fd, 0);
    return fd;
  }
  std::int32_t make(int family, int type, int protocol) {
    test_operation op(opcode::socket);
    op.args.socket = {family, type, protocol};
    const std::int32_t fd = loop->run(op);
    if (fd >= 0) opened.push_back(fd);
    return fd;
  }
  std::int32_t close(int fd) {
    for (int& known : opened)
      if (known == fd) known = -1;
    test_operation op(opcode::close, fd);
    op.args.value = 0;
    return loop->run(op);
  }
  template <class A>
  std::int32_t with_address(opcode what, int fd, A address, unsigned length = sizeof(A)) {
    test_operation op(what, fd);
    op.args.address = {reinterpret_cast<sockaddr*>(&address), &length};
    return loop->run(op);
  }
  template <class A>
  std::int32_t bind(int fd, const A& address) {
    return with_address(opcode::bind, fd, address);
  }
  template <class A>
  std::int32_t connect(int fd, const A& address) {
    return with_address(opcode::connect, fd, address);
  }
  std::int32_t value(opcode what, int fd, int v) {
    test_operation op(what, fd);
    op.args.value = v;
    return loop->run(op);
  }
  std::int32_t listen(int fd, int backlog = 16) { return value(opcode::listen, fd, backlog); }
  std::int32_t shutdown(int fd, int how) { return value(opcode::shutdown, fd, how); }
  std::int32_t poll(int fd, int events) {
    const std::int32_t held = value(opcode::poll, fd, events);
    // The ring adds POLLRDHUP unasked where it holds.
    return held < 0 ? held : held & (events | POLLERR | POLLHUP);
  }
  std::int32_t accept(int fd) {
    test_operation op(opcode::accept, fd);
    const std::int32_t result = loop->run(op);
    if (result >= 0) opened.push_back(result);
    return result;
  }
  std::int32_t send(int fd, std::string_view bytes, int flags = MSG_DONTWAIT) {
    return loop->run(sending(fd, bytes.data(), bytes.size(), flags));
  }
  std::int32_t recv(int fd, std::size_t most = 1'024, int flags = MSG_DONTWAIT) {
    got.resize(most);
    const std::int32_t result = loop->run(receiving(fd, got.data(), most, flags));
    got.resize(result > 0 ? static_cast<std::size_t>(result) : 0);
    return result;
  }
  sockaddr_in name(opcode which, int fd) {
    sockaddr_in a{};
    unsigned length = sizeof a;
    test_operation op(which, fd);
    op.args.address = {reinterpret_cast<sockaddr*>(&a), &length};
    name_result = loop->run(op);
    EXPECT_EQ(length, sizeof a);
    return a;
  }
  sockaddr_in6 name6(opcode which, int fd) {
    sockaddr_in6 a{};
    unsigned length = sizeof a;
    test_operation op(which, fd);
    op.args.address = {reinterpret_cast<sockaddr*>(&a), &length};
    name_result = loop->run(op);
    return a;
  }
  std::int32_t set(int fd, int level, int which, int v, unsigned length = sizeof(int)) {
    test_operation op(opcode::set_option, fd);
    op.args.option = {level, which, &v, &length};
    return loop->run(op);
  }
  /// The value, or the error.
  std::int32_t get(int fd, int level, int which) {
    int v = 0;
    unsigned length = sizeof v;
    test_operation op(opcode::get_option, fd);
    op.args.option = {level, which, &v, &length};
    const std::int32_t result = loop->run(op);
    return result < 0 ? result : v;
  }
  std::int32_t send_to(int fd, const sockaddr_in& to, std::string_view bytes) {
    sockaddr_in address = to;
    iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr m{};
    m.msg_name = &address;
    m.msg_namelen = sizeof address;
    m.msg_iov = &piece;
    m.msg_iovlen = 1;
    test_operation op(opcode::sendmsg, fd);
    op.args.message = {&m, MSG_DONTWAIT};
    return loop->run(op);
  }
  std::int32_t receive_from(int fd, std::size_t most, int flags = 0) {
    got.resize(most);
    iovec piece{got.data(), most};
    msghdr m{};
    m.msg_name = &from;
    m.msg_namelen = sizeof from;
    m.msg_iov = &piece;
    m.msg_iovlen = 1;
    test_operation op(opcode::recvmsg, fd);
    op.args.message = {&m, MSG_DONTWAIT | flags};
    const std::int32_t result = loop->run(op);
    got_flags = m.msg_flags;
    return result;
  }

  static sockaddr_in inside(std::uint16_t port, std::uint32_t address = INADDR_LOOPBACK) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    a.sin_addr.s_addr = htonl(address);
    return a;
  }
  static sockaddr_in6 inside6(std::uint16_t port) {
    sockaddr_in6 a{};
    a.sin6_family = AF_INET6;
    a.sin6_port = htons(port);
    a.sin6_addr = in6addr_loopback;
    return a;
  }
  /// Lets what is on its way arrive. A kernel's loopback needs no time, the simulator's some microseconds.
  void settle() {
    if (is_sim()) {
      bool over = false;
      world->after(1'000'000, [&over] { over = true; });
      while (!over) loop->turn();
    } else {
      // With time to wait: only then does a driver that remembers "nothing there" ask.
      for (int i = 0; i < 2; ++i) loop->turn(loop->d.now() + 1'000'000);
    }
  }
  struct ends {
    int listener, client, server;
    sockaddr_in at;
  };
  /// A connection, or one that waits to be accepted.
  ends connected(bool accepted = true) {
    ends e{};
    e.listener = socket();
    EXPECT_EQ(bind(e.listener, inside(0)), 0);
    EXPECT_EQ(listen(e.listener), 0);
    e.at = name(opcode::local_name, e.listener);
    e.client = socket();
    EXPECT_EQ(connect(e.client, e.at), 0);
    e.server = accepted ? accept(e.listener) : -1;
    return e;
  }
  /// A port that nobody has.
  sockaddr_in nobody() {
    const int fd = socket();
    EXPECT_EQ(bind(fd, inside(0)), 0);
    const sockaddr_in at = name(opcode::local_name, fd);
    EXPECT_EQ(close(fd), 0);
    return at;
  }

  std::optional<test_loop> loop;
  std::vector<int> opened;
  std::string got;
  std::int32_t name_result = 0;
  sockaddr_in from{};
  int got_flags = 0;
};

// ---- TCP

TEST_P(socket_conformance, kinds_that_there_are_not) {
  EXPECT_EQ(make(AF_INET, SOCK_STREAM, IPPROTO_UDP), -EPROTONOSUPPORT);
  EXPECT_EQ(make(AF_INET, SOCK_DGRAM, IPPROTO_TCP), -EPROTONOSUPPORT);
  EXPECT_EQ(make(12'345, SOCK_STREAM, 0), -EAFNOSUPPORT);
  EXPECT_EQ(make(AF_INET, SOCK_RDM, 0), -ESOCKTNOSUPPORT);
  EXPECT_GE(make(AF_INET, SOCK_STREAM, IPPROTO_TCP), 0);
  EXPECT_GE(make(AF_INET, SOCK_DGRAM, IPPROTO_UDP), 0);
}

TEST_P(socket_conformance, a_fresh_socket) {
  const int fd = socket();
  EXPECT_EQ(recv(fd), -ENOTCONN);
  EXPECT_EQ(send(fd, "x"), -EPIPE);
  EXPECT_EQ(shutdown(fd, SHUT_WR), -ENOTCONN);
  const int other = socket();
  EXPECT_EQ(poll(other, POLLIN | POLLOUT), POLLOUT | POLLHUP);
  EXPECT_EQ(accept(other), -EINVAL);
  name(opcode::peer_name, other);
  EXPECT_EQ(name_result, -ENOTCONN);
  const sockaddr_in at = name(opcode::local_name, other);
  EXPECT_EQ(name_result, 0);
  EXPECT_EQ(at.sin_port, 0);
  EXPECT_EQ(at.sin_addr.s_addr, 0u);
  EXPECT_EQ(shutdown(other, 17), -EINVAL);
  EXPECT_EQ(get(other, SOL_SOCKET, SO_ERROR), 0);
  // To listen is to be bound.
  EXPECT_EQ(listen(other), 0);
  EXPECT_NE(name(opcode::local_name, other).sin_port, 0);
}

TEST_P(socket_conformance, addresses_that_do_not_fit) {
  const int fd = socket();
  EXPECT_EQ(connect(fd, inside6(80)), -EAFNOSUPPORT);
  EXPECT_EQ(bind(fd, inside6(80)), -EAFNOSUPPORT);
  EXPECT_EQ(with_address(opcode::connect, fd, inside(80), 7), -EINVAL);
  EXPECT_EQ(with_address(opcode::bind, fd, inside(80), 7), -EINVAL);
  EXPECT_EQ(bind(fd, inside(0, 0xc0000201)), -EADDRNOTAVAIL);  // 192.0.2.1
  EXPECT_EQ(bind(fd, inside(0, 0x7f000005)), 0);
  EXPECT_EQ(bind(fd, inside(0)), -EINVAL);
}

TEST_P(socket_conformance, a_refused_connect_may_be_tried_again) {
  const sockaddr_in at = nobody();
  const int fd = socket();
  EXPECT_EQ(connect(fd, at), -ECONNREFUSED);
  EXPECT_EQ(get(fd, SOL_SOCKET, SO_ERROR), 0);
  EXPECT_EQ(connect(fd, at), -ECONNREFUSED);
  EXPECT_EQ(poll(fd, POLLIN | POLLOUT) & (POLLOUT | POLLHUP), POLLOUT | POLLHUP);
  // (What a recv says now is not the same everywhere: io_uring leaves a refused socket as the refusal left it.)
  EXPECT_EQ(send(fd, "x"), -EPIPE);
  name(opcode::peer_name, fd);
  EXPECT_EQ(name_result, -ENOTCONN);
  const int listener = socket();
  ASSERT_EQ(bind(listener, inside(0)), 0);
  ASSERT_EQ(listen(listener), 0);
  EXPECT_EQ(connect(fd, name(opcode::local_name, listener)), 0);
}

TEST_P(socket_conformance, what_a_connected_socket_refuses) {
  const ends e = connected();
  EXPECT_EQ(connect(e.client, e.at), -EISCONN);
  EXPECT_EQ(connect(e.server, e.at), -EISCONN);
  EXPECT_EQ(connect(e.listener, e.at), -EISCONN);
  EXPECT_EQ(listen(e.client), -EINVAL);
  EXPECT_EQ(bind(e.client, inside(0)), -EINVAL);
  EXPECT_EQ(accept(e.client), -EINVAL);
  EXPECT_EQ(recv(e.listener), -ENOTCONN);
  EXPECT_EQ(send(e.listener, "x"), -EPIPE);
  name(opcode::peer_name, e.listener);
  EXPECT_EQ(name_result, -ENOTCONN);
  EXPECT_EQ(get(e.listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
  EXPECT_EQ(get(e.client, SOL_SOCKET, SO_ACCEPTCONN), 0);
}

TEST_P(socket_conformance, names_of_both_ends) {
  const ends e = connected();
  const sockaddr_in client = name(opcode::local_name, e.client), server = name(opcode::local_name, e.server);
  EXPECT_EQ(server.sin_port, e.at.sin_port);
  EXPECT_EQ(name(opcode::peer_name, e.client).sin_port, server.sin_port);
  EXPECT_EQ(name(opcode::peer_name, e.server).sin_port, client.sin_port);
  EXPECT_EQ(client.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  // To nowhere in particular is to oneself; and a wildcard's connection has an address.
  const int any = socket(), to_any = socket();
  ASSERT_EQ(bind(any, inside(0, INADDR_ANY)), 0);
  ASSERT_EQ(listen(any), 0);
  sockaddr_in at = name(opcode::local_name, any);
  EXPECT_EQ(at.sin_addr.s_addr, 0u);
  ASSERT_EQ(connect(to_any, at), 0);
  EXPECT_EQ(name(opcode::peer_name, to_any).sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  EXPECT_EQ(name(opcode::local_name, accept(any)).sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  // All of 127.0.0.0/8 is here.
  at.sin_addr.s_addr = htonl(0x7f010203);
  const int far = socket();
  ASSERT_EQ(connect(far, at), 0);
  EXPECT_EQ(name(opcode::local_name, accept(any)).sin_addr.s_addr, htonl(0x7f010203));
}

TEST_P(socket_conformance, bytes_peeks_and_nothing) {
  const ends e = connected();
  EXPECT_EQ(recv(e.server), -EAGAIN);
  EXPECT_EQ(recv(e.server, 0), -EAGAIN);
  EXPECT_EQ(send(e.client, ""), 0);
  EXPECT_EQ(poll(e.client, POLLIN | POLLOUT), POLLOUT);
  ASSERT_EQ(send(e.client, "hello"), 5);
  EXPECT_EQ(poll(e.server, POLLIN), POLLIN);
  EXPECT_EQ(poll(e.server, POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT);
  EXPECT_EQ(recv(e.server, 3, MSG_PEEK), 3);
  EXPECT_EQ(recv(e.server, 100, MSG_PEEK), 5);
  EXPECT_EQ(recv(e.server, 0), 0);
  EXPECT_EQ(recv(e.server, 3), 3);
  EXPECT_EQ(got, "hel");
  EXPECT_EQ(recv(e.server, 100), 2);
  EXPECT_EQ(recv(e.server, 100), -EAGAIN);
}

TEST_P(socket_conformance, as_if_it_were_a_file) {
  const ends e = connected();
  char room[8] = {};
  EXPECT_EQ(loop->run(transferring(opcode::write, e.client, "abcdef", 6, -1)), 6);
  EXPECT_EQ(loop->run(transferring(opcode::read, e.server, room, 4, -1)), 4);
  EXPECT_EQ(std::string_view(room, 4), "abcd");
  EXPECT_EQ(loop->run(transferring(opcode::write, e.client, "x", 1, 5)), -ESPIPE);
  EXPECT_EQ(loop->run(transferring(opcode::read, e.server, room, 1, 5)), -ESPIPE);
  iovec pieces[2] = {{room, 1}, {room + 4, 4}};
  test_operation readv(opcode::readv, e.server), writev(opcode::writev, e.client);
  readv.args.vectors = writev.args.vectors = {pieces, 2, -1};
  EXPECT_EQ(loop->run(readv), 2);
  EXPECT_EQ(room[0], 'e');
  EXPECT_EQ(room[4], 'f');
  EXPECT_EQ(loop->run(writev), 5);
  EXPECT_EQ(value(opcode::fsync, e.client, 0), -EINVAL);
}

TEST_P(socket_conformance, the_peer_sends_no_more) {
  const ends e = connected();
  ASSERT_EQ(send(e.client, "last"), 4);
  ASSERT_EQ(shutdown(e.client, SHUT_WR), 0);
  EXPECT_EQ(send(e.client, "x"), -EPIPE);
  settle();
  EXPECT_EQ(poll(e.server, POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP);
  EXPECT_EQ(recv(e.server), 4);
  EXPECT_EQ(recv(e.server), 0);
  EXPECT_EQ(recv(e.server), 0);
  EXPECT_EQ(poll(e.server, POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP);
  EXPECT_EQ(poll(e.client, POLLIN | POLLOUT | POLLRDHUP), POLLOUT);
  EXPECT_EQ(shutdown(e.client, SHUT_WR), 0);
  ASSERT_EQ(send(e.server, "answer"), 6);
  settle();
  EXPECT_EQ(recv(e.client), 6);
  // Both ways: now it is over, though nobody has closed it.
  ASSERT_EQ(shutdown(e.server, SHUT_WR), 0);
  settle();
  for (const int fd : {e.client, e.server}) {
    EXPECT_EQ(poll(fd, POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    EXPECT_EQ(recv(fd), 0);
    EXPECT_EQ(send(fd, "x"), -EPIPE);
    EXPECT_EQ(shutdown(fd, SHUT_RDWR), -ENOTCONN);
    name(opcode::peer_name, fd);
    EXPECT_EQ(name_result, -ENOTCONN);
  }
}

TEST_P(socket_conformance, we_read_no_more) {
  const ends e = connected();
  ASSERT_EQ(send(e.client, "before"), 6);
  settle();
  ASSERT_EQ(shutdown(e.server, SHUT_RD), 0);
  EXPECT_EQ(poll(e.server, POLLIN | POLLRDHUP), POLLIN | POLLRDHUP);
  EXPECT_EQ(recv(e.server), 6);
  EXPECT_EQ(recv(e.server), 0);
  // The other end knows nothing of it.
  ASSERT_EQ(send(e.client, "after"), 5);
  settle();
  EXPECT_EQ(recv(e.server), 5);
  EXPECT_EQ(recv(e.server), 0);
  EXPECT_EQ(send(e.server, "x"), 1);
}

TEST_P(socket_conformance, bytes_for_who_has_shut_both_ways) {
  const ends e = connected();
  ASSERT_EQ(shutdown(e.server, SHUT_RDWR), 0);
  settle();
  EXPECT_EQ(recv(e.client), 0);
  EXPECT_EQ(send(e.client, "x"), 1);
  settle();
  EXPECT_EQ(send(e.client, "x"), -EPIPE);
  EXPECT_EQ(get(e.client, SOL_SOCKET, SO_ERROR), 0);
}

TEST_P(socket_conformance, closed_with_something_unread) {
  const ends e = connected();
  ASSERT_EQ(send(e.client, "unread"), 6);
  settle();
  ASSERT_EQ(close(e.server), 0);
  settle();
  EXPECT_EQ(poll(e.client, POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP);
  name(opcode::peer_name, e.client);
  EXPECT_EQ(name_result, -ENOTCONN);
  EXPECT_EQ(recv(e.client), -ECONNRESET);
  EXPECT_EQ(recv(e.client), 0);
  EXPECT_EQ(send(e.client, "x"), -EPIPE);
  EXPECT_EQ(connect(e.client, e.at), -EISCONN);
  EXPECT_EQ(poll(e.client, POLLIN | POLLOUT), POLLIN | POLLOUT | POLLHUP);
#ifdef SO_PEERNAME
  sockaddr_in was{};
  unsigned length = sizeof was;
  test_operation op(opcode::get_option, e.client);
  op.args.option = {SOL_SOCKET, SO_PEERNAME, &was, &length};
  EXPECT_EQ(loop->run(op), 0);
  EXPECT_EQ(was.sin_port, e.at.sin_port);
#endif
}

TEST_P(socket_conformance, a_reset_is_told_once_to_whoever_asks_first) {
  for (int who = 0; who < 3; ++who) {
    const ends e = connected();
    ASSERT_EQ(send(e.client, "unread"), 6);
    settle();
    ASSERT_EQ(close(e.server), 0);
    settle();
    if (who == 0) {
      EXPECT_EQ(send(e.client, "x"), -ECONNRESET);
    }
    if (who == 1) {
      EXPECT_EQ(get(e.client, SOL_SOCKET, SO_ERROR), ECONNRESET);
    }
    if (who == 2) {
      EXPECT_EQ(recv(e.client), -ECONNRESET);
    }
    EXPECT_EQ(get(e.client, SOL_SOCKET, SO_ERROR), 0);
    EXPECT_EQ(recv(e.client), 0);
    EXPECT_EQ(send(e.client, "x"), -EPIPE);
  }
}

TEST_P(socket_conformance, bytes_for_who_has_closed) {
  const ends e = connected();
  ASSERT_EQ(close(e.server), 0);
  settle();
  EXPECT_EQ(poll(e.client, POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP);
  EXPECT_EQ(send(e.client, "too late"), 8);
  settle();
  // The end had been heard: no reset any more, but a broken pipe.
  EXPECT_EQ(poll(e.client, POLLIN | POLLOUT) & (POLLERR | POLLHUP), POLLERR | POLLHUP);
  EXPECT_EQ(recv(e.client), 0);
  EXPECT_EQ(send(e.client, "x"), -EPIPE);
  EXPECT_EQ(get(e.client, SOL_SOCKET, SO_ERROR), 0);
  EXPECT_EQ(send(e.client, "x"), -EPIPE);
}

TEST_P(socket_conformance, a_reset_leaves_what_had_arrived) {
  const ends e = connected();
  ASSERT_EQ(send(e.client, "kept"), 4);
  settle();
  ::linger now{1, 0};
  unsigned length = sizeof now;
  test_operation op(opcode::set_option, e.client);
  op.args.option = {SOL_SOCKET, SO_LINGER, &now, &length};
  ASSERT_EQ(loop->run(op), 0);
  ASSERT_EQ(close(e.client), 0);
  settle();
  EXPECT_EQ(poll(e.server, POLLIN) & POLLERR, POLLERR);
  EXPECT_EQ(recv(e.server), 4);
  EXPECT_EQ(recv(e.server), -ECONNRESET);
  EXPECT_EQ(recv(e.server), 0);
}

TEST_P(socket_conformance, reset_while_it_waited_to_be_accepted) {
  const ends e = connected(false);
  ::linger now{1, 0};
  unsigned length = sizeof now;
  test_operation op(opcode::set_option, e.client);
  op.args.option = {SOL_SOCKET, SO_LINGER, &now, &length};
  ASSERT_EQ(loop->run(op), 0);
  ASSERT_EQ(close(e.client), 0);
  settle();
  const int server = accept(e.listener);
  ASSERT_GE(server, 0);
  EXPECT_EQ(recv(server), -ECONNRESET);
  EXPECT_EQ(recv(server), 0);
}

TEST_P(socket_conformance, sent_and_closed_before_it_was_accepted) {
  const ends e = connected(false);
  ASSERT_EQ(send(e.client, "early"), 5);
  ASSERT_EQ(close(e.client), 0);
  settle();
  EXPECT_EQ(poll(e.listener, POLLIN | POLLOUT), POLLIN);
  const int server = accept(e.listener);
  ASSERT_GE(server, 0);
  EXPECT_EQ(recv(server), 5);
  EXPECT_EQ(recv(server), 0);
}

TEST_P(socket_conformance, the_listener_goes) {
  const ends e = connected(false);
  settle();
  ASSERT_EQ(close(e.listener), 0);
  settle();
  EXPECT_EQ(recv(e.client), -ECONNRESET);
  EXPECT_EQ(connect(socket(), e.at), -ECONNREFUSED);
  // By shutdown it stops, too, and may begin again.
  const ends f = connected(false);
  settle();
  ASSERT_EQ(shutdown(f.listener, SHUT_WR), 0);
  EXPECT_EQ(get(f.listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
  ASSERT_EQ(shutdown(f.listener, SHUT_RD), 0);
  settle();
  EXPECT_EQ(recv(f.client), -ECONNRESET);
  EXPECT_EQ(get(f.listener, SOL_SOCKET, SO_ACCEPTCONN), 0);
  EXPECT_EQ(accept(f.listener), -EINVAL);
  EXPECT_EQ(connect(socket(), f.at), -ECONNREFUSED);
  EXPECT_EQ(listen(f.listener), 0);
}

TEST_P(socket_conformance, who_may_have_a_port) {
  const int first = socket();
  ASSERT_EQ(bind(first, inside(0)), 0);
  const sockaddr_in at = name(opcode::local_name, first);
  const std::uint16_t port = ntohs(at.sin_port);
  const int plain = socket(), bold = socket();
  ASSERT_EQ(set(bold, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  EXPECT_EQ(bind(plain, at), -EADDRINUSE);
  EXPECT_EQ(bind(bold, at), -EADDRINUSE);
  EXPECT_EQ(bind(plain, inside(port, INADDR_ANY)), -EADDRINUSE);
  EXPECT_EQ(bind(plain, inside(port, 0x7f000002)), 0);
  // Both of that kind may, but only one of them listens.
  ASSERT_EQ(set(first, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  EXPECT_EQ(bind(bold, at), 0);
  EXPECT_EQ(listen(first), 0);
  EXPECT_EQ(listen(bold), -EADDRINUSE);
  const int late = socket();
  ASSERT_EQ(set(late, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  EXPECT_EQ(bind(late, at), -EADDRINUSE);
  EXPECT_EQ(close(first), 0);
  EXPECT_EQ(listen(bold), 0);
  // UDP has ports of its own.
  EXPECT_EQ(bind(socket(SOCK_DGRAM), at), 0);
}

TEST_P(socket_conformance, a_port_that_waits_out_its_time) {
  const ends e = connected();
  ASSERT_EQ(close(e.server), 0);
  settle();
  EXPECT_EQ(recv(e.client), 0);
  ASSERT_EQ(close(e.client), 0);
  ASSERT_EQ(close(e.listener), 0);
  settle();
  const int plain = socket();
  EXPECT_EQ(bind(plain, e.at), -EADDRINUSE);
  // The one that waits must have been of that kind, too.
  const int bold = socket();
  ASSERT_EQ(set(bold, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  EXPECT_EQ(bind(bold, e.at), -EADDRINUSE);
  // Where we accept somebody else, who meant a listener that had this port before us, our own connection is reset and
  // nothing waits: then once more.
  sockaddr_in at{};
  std::int32_t taken = 0;
  for (int tries = 0; tries < 5 && taken == 0; ++tries) {
    const int listener = socket();
    ASSERT_EQ(set(listener, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    ASSERT_EQ(bind(listener, inside(0)), 0);
    ASSERT_EQ(listen(listener), 0);
    at = name(opcode::local_name, listener);
    const int client = socket();
    ASSERT_EQ(connect(client, at), 0);
    ASSERT_EQ(close(accept(listener)), 0);
    ASSERT_EQ(close(listener), 0);
    settle();
    ASSERT_EQ(close(client), 0);
    settle();
    taken = bind(socket(), at);
  }
  EXPECT_EQ(taken, -EADDRINUSE);
  EXPECT_EQ(bind(bold, at), 0);
  EXPECT_EQ(listen(bold), 0);
}

TEST_P(socket_conformance, a_full_pipe) {
  const ends e = connected();
  const std::string much(1 << 20, 'm');
  std::size_t sent = 0;
  for (int idle = 0; idle < 3;) {
    const std::int32_t n = send(e.client, much);
    if (n == -EAGAIN) {
      ++idle;
      settle();
      continue;
    }
    ASSERT_GT(n, 0);
    idle = 0;
    sent += static_cast<std::size_t>(n);
  }
  polling room(e.client, POLLOUT);
  ASSERT_FALSE(loop->submit(room));
  test_operation writable(opcode::writable, e.client);
  ASSERT_FALSE(loop->submit(writable));
  std::size_t received = 0;
  while (received < sent) {
    const std::int32_t n = recv(e.server, 100'000);
    if (n == -EAGAIN) {
      settle();
      continue;
    }
    ASSERT_GT(n, 0);
    received += static_cast<std::size_t>(n);
  }
  EXPECT_EQ(loop->finish(room), POLLOUT);
  EXPECT_GE(loop->finish(writable), 0);
  EXPECT_EQ(recv(e.server), -EAGAIN);
}

TEST_P(socket_conformance, options) {
  const int fd = socket(), datagrams = socket(SOCK_DGRAM);
  for (const int which : {SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE, SO_BROADCAST}) {
    for (const int s : {fd, datagrams}) {
      EXPECT_EQ(get(s, SOL_SOCKET, which), 0) << which;
      EXPECT_EQ(set(s, SOL_SOCKET, which, 7), 0) << which;
      EXPECT_EQ(get(s, SOL_SOCKET, which), 1) << which;
      EXPECT_EQ(set(s, SOL_SOCKET, which, 0), 0) << which;
      EXPECT_EQ(get(s, SOL_SOCKET, which), 0) << which;
      EXPECT_EQ(set(s, SOL_SOCKET, which, 1, 2), -EINVAL) << which;
    }
  }
  EXPECT_EQ(get(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
  EXPECT_EQ(get(datagrams, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
  EXPECT_EQ(get(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
  EXPECT_EQ(get(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
  EXPECT_EQ(set(fd, SOL_SOCKET, SO_TYPE, 1), -ENOPROTOOPT);
  EXPECT_EQ(set(fd, SOL_SOCKET, SO_ERROR, 1), -ENOPROTOOPT);
  EXPECT_EQ(set(fd, SOL_SOCKET, 12'345, 1), -ENOPROTOOPT);
  EXPECT_EQ(get(fd, SOL_SOCKET, 12'345), -ENOPROTOOPT);
  EXPECT_EQ(set(fd, SOL_SOCKET, SO_SNDBUF, 10'000), 0);
  EXPECT_EQ(get(fd, SOL_SOCKET, SO_SNDBUF), 20'000);
  EXPECT_EQ(set(fd, SOL_SOCKET, SO_RCVBUF, 10'000), 0);
  EXPECT_EQ(get(fd, SOL_SOCKET, SO_RCVBUF), 20'000);
  EXPECT_EQ(set(fd, IPPROTO_TCP, TCP_NODELAY, 1), 0);
  EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(set(datagrams, IPPROTO_TCP, TCP_NODELAY, 1), -ENOPROTOOPT);
  EXPECT_EQ(set(fd, IPPROTO_TCP, 12'345, 1), -ENOPROTOOPT);
  for (const int which : {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT}) {
    EXPECT_EQ(set(fd, IPPROTO_TCP, which, 12), 0);
    EXPECT_EQ(get(fd, IPPROTO_TCP, which), 12);
    EXPECT_EQ(set(fd, IPPROTO_TCP, which, 0), -EINVAL);
  }
  EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
  EXPECT_EQ(set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 5'000), 0);
  EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 5'000);
  EXPECT_EQ(set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1), -ENOPROTOOPT);
}

TEST_P(socket_conformance, an_accepted_socket_has_its_listeners_options) {
  const int listener = socket();
  ASSERT_EQ(set(listener, IPPROTO_TCP, TCP_NODELAY, 1), 0);
  ASSERT_EQ(set(listener, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
  ASSERT_EQ(set(listener, SOL_SOCKET, SO_RCVBUF, 20'000), 0);
  ASSERT_EQ(set(listener, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  ASSERT_EQ(bind(listener, inside(0)), 0);
  ASSERT_EQ(listen(listener), 0);
  ASSERT_EQ(connect(socket(), name(opcode::local_name, listener)), 0);
  const int server = accept(listener);
  EXPECT_EQ(get(server, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(get(server, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(get(server, SOL_SOCKET, SO_RCVBUF), 40'000);
  EXPECT_EQ(get(server, SOL_SOCKET, SO_REUSEADDR), 1);
}

TEST_P(socket_conformance, what_waits_is_woken_by_the_end) {
  const ends e = connected();
  char room[8];
  receiving in(e.server, room, sizeof room);
  ASSERT_FALSE(loop->submit(in));
  test_operation readable(opcode::readable, e.client);
  ASSERT_FALSE(loop->submit(readable));
  polling end(e.client, POLLRDHUP);
  ASSERT_FALSE(loop->submit(end));
  ASSERT_EQ(shutdown(e.server, SHUT_RDWR), 0);
  EXPECT_EQ(loop->finish(in), 0);
  EXPECT_GE(loop->finish(readable), 0);
  EXPECT_EQ(loop->finish(end), POLLRDHUP);
}

TEST_P(socket_conformance, a_waiting_receive_learns_of_a_reset) {
  const ends e = connected();
  char room[8];
  receiving in(e.client, room, sizeof room);
  ASSERT_FALSE(loop->submit(in));
  ASSERT_EQ(send(e.client, "unread"), 6);
  settle();
  ASSERT_EQ(close(e.server), 0);
  EXPECT_EQ(loop->finish(in), -ECONNRESET);
}

TEST_P(socket_conformance, accept_many_ends_where_nobody_listens) {
  const ends e = connected();
  for (const int fd : {e.client, socket()}) {
    accepting many(fd);
    loop->submit(many);
    EXPECT_EQ(loop->finish(many), -EINVAL);
  }
  accepting datagrams(socket(SOCK_DGRAM));
  loop->submit(datagrams);
  EXPECT_EQ(loop->finish(datagrams), -EOPNOTSUPP);
}

// ---- IPv6

TEST_P(socket_conformance, both_families_at_one_socket) {
  const int listener = make(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  if (listener < 0 || bind(listener, any) != 0) GTEST_SKIP() << "NOT RUN: there is no IPv6 here";
  EXPECT_EQ(get(listener, IPPROTO_IPV6, IPV6_V6ONLY), 0);
  EXPECT_EQ(set(listener, IPPROTO_IPV6, IPV6_V6ONLY, 1), -EINVAL);
  ASSERT_EQ(listen(listener), 0);
  const std::uint16_t port = ntohs(name6(opcode::local_name, listener).sin6_port);
  const int four = socket(), six = socket(SOCK_STREAM, AF_INET6), mapped = socket(SOCK_STREAM, AF_INET6);
  EXPECT_EQ(bind(socket(), inside(port, INADDR_ANY)), -EADDRINUSE);
  ASSERT_EQ(connect(four, inside(port)), 0);
  sockaddr_in6 peer = name6(opcode::peer_name, accept(listener));
  EXPECT_TRUE(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
  sockaddr_in6 to = inside6(port);
  to.sin6_addr = {};
  to.sin6_addr.s6_addr[10] = to.sin6_addr.s6_addr[11] = 0xff;
  to.sin6_addr.s6_addr[12] = 127;
  to.sin6_addr.s6_addr[15] = 1;
  ASSERT_EQ(connect(mapped, to), 0);
  peer = name6(opcode::local_name, mapped);
  EXPECT_TRUE(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
  EXPECT_GE(accept(listener), 0);
  EXPECT_EQ(connect(six, inside(port)), -EINVAL) << "too short";
  if (const std::int32_t result = connect(six, inside6(port)); result == -EADDRNOTAVAIL)
    GTEST_SKIP() << "NOT RUN to its end: no IPv6 loopback here";
  else
    ASSERT_EQ(result, 0);
  peer = name6(opcode::peer_name, accept(listener));
  EXPECT_TRUE(IN6_IS_ADDR_LOOPBACK(&peer.sin6_addr));
  // Only IPv6: the other family neither comes nor goes.
  const int only = socket(SOCK_STREAM, AF_INET6);
  ASSERT_EQ(set(only, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
  EXPECT_EQ(connect(only, to), -ENETUNREACH);
  // The port is free in the other family, unless somebody else happens to have it there.
  std::int32_t result = -EADDRINUSE;
  for (int tries = 0; tries < 10 && result == -EADDRINUSE; ++tries) {
    const int six_only = socket(SOCK_STREAM, AF_INET6);
    ASSERT_EQ(set(six_only, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
    ASSERT_EQ(bind(six_only, any), 0);
    ASSERT_EQ(listen(six_only), 0);
    const std::uint16_t other = ntohs(name6(opcode::local_name, six_only).sin6_port);
    result = bind(socket(), inside(other, INADDR_ANY));
    if (result == 0) EXPECT_EQ(connect(socket(), inside(other)), -ECONNREFUSED);
  }
  EXPECT_EQ(result, 0);
}

// ---- UDP

TEST_P(socket_conformance, a_fresh_datagram_socket) {
  const int fd = socket(SOCK_DGRAM);
  EXPECT_EQ(recv(fd), -EAGAIN);
  EXPECT_EQ(send(fd, "x"), -EDESTADDRREQ);
  EXPECT_EQ(poll(fd, POLLIN | POLLOUT), POLLOUT);
  EXPECT_EQ(listen(fd), -EOPNOTSUPP);
  EXPECT_EQ(accept(fd), -EOPNOTSUPP);
  name(opcode::peer_name, fd);
  EXPECT_EQ(name_result, -ENOTCONN);
  // Whoever sends is bound, even if it comes to nothing.
  const int other = socket(SOCK_DGRAM);
  EXPECT_EQ(name(opcode::local_name, other).sin_port, 0);
  EXPECT_EQ(send_to(other, inside(0), "x"), -EINVAL);
  EXPECT_NE(name(opcode::local_name, other).sin_port, 0);
  EXPECT_EQ(send_to(fd, nobody(), "x"), 1);
  EXPECT_NE(name(opcode::local_name, fd).sin_port, 0);
  EXPECT_EQ(shutdown(fd, SHUT_RD), -ENOTCONN);
}

TEST_P(socket_conformance, datagrams) {
  const int here = socket(SOCK_DGRAM), there = socket(SOCK_DGRAM);
  ASSERT_EQ(bind(there, inside(0)), 0);
  const sockaddr_in at = name(opcode::local_name, there);
  ASSERT_EQ(send_to(here, at, "0123456789"), 10);
  ASSERT_EQ(send_to(here, at, ""), 0);
  ASSERT_EQ(send_to(here, at, "last"), 4);
  settle();
  EXPECT_EQ(receive_from(there, 4, MSG_PEEK), 4);
  EXPECT_EQ(receive_from(there, 4, MSG_PEEK | MSG_TRUNC), 10);
  EXPECT_EQ(got_flags & MSG_TRUNC, MSG_TRUNC);
  EXPECT_EQ(receive_from(there, 4), 4);
  EXPECT_EQ(got_flags & MSG_TRUNC, MSG_TRUNC);
  EXPECT_EQ(from.sin_port, name(opcode::local_name, here).sin_port);
  EXPECT_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  EXPECT_EQ(receive_from(there, 4), 0);
  EXPECT_EQ(got_flags & MSG_TRUNC, 0);
  EXPECT_EQ(recv(there, 4), 4);
  EXPECT_EQ(got, "last");
  EXPECT_EQ(recv(there), -EAGAIN);
  EXPECT_EQ(send_to(here, at, std::string(65'508, 'x')), -EMSGSIZE);
  EXPECT_EQ(send_to(here, at, std::string(65'507, 'x')), 65'507);
  settle();
  EXPECT_EQ(recv(there, 70'000), 65'507);
}

TEST_P(socket_conformance, datagrams_for_nobody) {
  const sockaddr_in at = nobody();
  const int fd = socket(SOCK_DGRAM);
  ASSERT_EQ(send_to(fd, at, "x"), 1);
  settle();
  EXPECT_EQ(recv(fd), -EAGAIN) << "who is not connected is not told";
  ASSERT_EQ(connect(fd, at), 0);
  EXPECT_EQ(name(opcode::peer_name, fd).sin_port, at.sin_port);
  ASSERT_EQ(send(fd, "x"), 1);
  settle();
  EXPECT_EQ(poll(fd, POLLIN | POLLOUT) & POLLERR, POLLERR);
  EXPECT_EQ(recv(fd), -ECONNREFUSED);
  EXPECT_EQ(recv(fd), -EAGAIN);
  ASSERT_EQ(send(fd, "x"), 1);
  settle();
  EXPECT_EQ(send(fd, "x"), -ECONNREFUSED);
  ASSERT_EQ(send(fd, "x"), 1);
  settle();
  EXPECT_EQ(get(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
  EXPECT_EQ(get(fd, SOL_SOCKET, SO_ERROR), 0);
}

TEST_P(socket_conformance, a_connected_datagram_socket) {
  const int here = socket(SOCK_DGRAM), there = socket(SOCK_DGRAM), stranger = socket(SOCK_DGRAM);
  ASSERT_EQ(bind(there, inside(0)), 0);
  ASSERT_EQ(bind(here, inside(0)), 0);
  const sockaddr_in mine = name(opcode::local_name, here), at = name(opcode::local_name, there);
  ASSERT_EQ(connect(here, at), 0);
  ASSERT_EQ(connect(here, at), 0);
  ASSERT_EQ(send_to(stranger, mine, "stranger"), 8);
  ASSERT_EQ(send_to(there, mine, "peer"), 4);
  settle();
  EXPECT_EQ(recv(here), 4);
  EXPECT_EQ(recv(here), -EAGAIN);
  // Elsewhere all the same, if it is said.
  const int third = socket(SOCK_DGRAM);
  ASSERT_EQ(bind(third, inside(0)), 0);
  EXPECT_EQ(send_to(here, name(opcode::local_name, third), "x"), 1);
  settle();
  EXPECT_EQ(recv(third), 1);
  ASSERT_EQ(shutdown(here, SHUT_WR), 0);
  EXPECT_EQ(send(here, "x"), -EPIPE);
  ASSERT_EQ(shutdown(here, SHUT_RD), 0);
  settle();
  EXPECT_EQ(recv(here), -EAGAIN) << "there is no end";
  EXPECT_EQ(poll(here, POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
  // And no more connected.
  ASSERT_EQ(connect(there, mine), 0);
  sockaddr_in none{};
  none.sin_family = AF_UNSPEC;
  ASSERT_EQ(connect(there, none), 0);
  name(opcode::peer_name, there);
  EXPECT_EQ(name_result, -ENOTCONN);
  EXPECT_EQ(send(there, "x"), -EDESTADDRREQ);
}

TEST_P(socket_conformance, who_may_have_a_port_for_datagrams) {
  const int first = socket(SOCK_DGRAM), other = socket(SOCK_DGRAM), late = socket(SOCK_DGRAM);
  ASSERT_EQ(set(first, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  ASSERT_EQ(bind(first, inside(0)), 0);
  const sockaddr_in at = name(opcode::local_name, first);
  EXPECT_EQ(bind(other, at), -EADDRINUSE);
  EXPECT_EQ(bind(first, at), -EINVAL);
  ASSERT_EQ(set(other, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  EXPECT_EQ(bind(other, at), 0);
  EXPECT_EQ(bind(late, inside(ntohs(at.sin_port), INADDR_ANY)), -EADDRINUSE);
  EXPECT_EQ(bind(late, inside(0, 0xc0000201)), -EADDRNOTAVAIL);
}

TEST_P(socket_conformance, a_full_datagram_socket_drops) {
  const int here = socket(SOCK_DGRAM), there = socket(SOCK_DGRAM);
  ASSERT_EQ(set(there, SOL_SOCKET, SO_RCVBUF, 10'000), 0);
  ASSERT_EQ(bind(there, inside(0)), 0);
  const sockaddr_in at = name(opcode::local_name, there);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(send_to(here, at, std::string(1'000, 'x')), 1'000);
  settle();
  int received = 0;
  while (recv(there, 2'000) == 1'000) ++received;
  EXPECT_GT(received, 2);
  EXPECT_LT(received, 50);
  ASSERT_EQ(send_to(here, at, "again"), 5);
  settle();
  EXPECT_EQ(recv(there), 5);
}

ASTD_ON_DRIVERS(socket_conformance, conforming_setups);

}  // namespace
}  // namespace astd::driver::testing
