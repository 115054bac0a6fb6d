// Descriptor numbers: closed and given out again, here, on another loop, or behind our back; one socket on two loops;
// a fork.
#include <astd/driver/test_loop.hpp>

#include <cerrno>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace astd::driver::testing {
namespace {

class descriptors : public on_each_driver {};

// Waits once, so that the driver knows the number.
void exchange(test_loop& loop, int from, int to) {
  char byte = 0;
  receiving in(to, &byte, 1);
  ASSERT_FALSE(loop.submit(in));
  loop.collect();
  ASSERT_EQ(::send(from, "x", 1, 0), 1);
  ASSERT_EQ(loop.finish(in), 1);
}

TEST_P(descriptors, a_number_closed_and_given_out_again) {
  test_loop loop(wanted());
  int number = -1;
  for (int i = 0; i < 50; ++i) {
    pair p;
    if (i > 0) {
      EXPECT_EQ(p.ends[1], number);
    }
    number = p.ends[1];
    exchange(loop, p.ends[0], p.ends[1]);
    exchange(loop, p.ends[0], p.ends[1]);
    close_in(loop, std::exchange(p.ends[1], -1));
    close_in(loop, std::exchange(p.ends[0], -1));
  }
}

TEST_P(descriptors, a_number_closed_on_another_loop) {
  test_loop a(wanted()), b(wanted());
  int number = -1;
  for (int i = 0; i < 50; ++i) {
    pair p;
    if (i > 0) {
      EXPECT_EQ(p.ends[1], number);
    }
    number = p.ends[1];
    exchange(a, p.ends[0], p.ends[1]);
    close_in(b, std::exchange(p.ends[1], -1));
    close_in(b, std::exchange(p.ends[0], -1));
  }
}

TEST_P(descriptors, a_number_closed_by_accepting_loops) {
  // Connections made, used and closed on two loops in turn: their numbers are the same few.
  test_loop a(wanted()), b(wanted());
  listening server(a);
  for (int i = 0; i < 100; ++i) {
    test_loop& accepts = i % 2 ? a : b;
    test_loop& serves = i % 3 ? a : b;
    const int client = server.dial();
    test_operation accept(opcode::accept, server.fd);
    const int peer = accepts.run(accept);
    ASSERT_GE(peer, 0);
    exchange(serves, client, peer);
    exchange(accepts, client, peer);
    close_in(serves, peer);
    ::close(client);
  }
}

TEST_P(descriptors, a_polled_number_reopened_behind_our_back) {
  // As a resolver's library does: it has sockets of its own, and we only poll them.
  test_loop loop(wanted());
  for (int i = 0; i < 20; ++i) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    polling in(ends[1], POLLIN);
    ASSERT_FALSE(loop.submit(in));
    loop.collect();
    ASSERT_EQ(::send(ends[0], "x", 1, 0), 1);
    EXPECT_EQ(loop.finish(in), POLLIN);
    ::close(ends[0]);
    ::close(ends[1]);
  }
}

TEST_P(descriptors, a_number_closed_by_perform_and_reopened_untold) {
  // Against the rules (adopt() is missing), and it works: closing counts, too.
  test_loop loop(wanted());
  for (int i = 0; i < 10; ++i) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    exchange(loop, ends[0], ends[1]);
    for (int fd : ends) {
      operation close;
      close.code = opcode::close;
      close.fd = fd;
      perform(close);
      EXPECT_EQ(close.result, 0);
    }
  }
}

TEST_P(descriptors, a_number_adopted_anew_for_the_same_file) {
  test_loop loop(wanted());
  pair p;
  exchange(loop, p.ends[0], p.ends[1]);
  adopt(p.ends[1]);
  exchange(loop, p.ends[0], p.ends[1]);
}

TEST_P(descriptors, a_copy_that_lives_on_disturbs_nobody) {
  test_loop loop(wanted());
  pair first;
  exchange(loop, first.ends[0], first.ends[1]);
  const int copy = ::fcntl(first.ends[1], F_DUPFD_CLOEXEC, 40);
  const int number = first.ends[1];
  close_in(loop, std::exchange(first.ends[1], -1));
  pair second;
  ASSERT_EQ(second.ends[0], number);
  char byte = 0;
  receiving in(second.ends[0], &byte, 1);
  ASSERT_FALSE(loop.submit(in));
  loop.collect();
  // News of the copy is not news of the number.
  ASSERT_EQ(::send(first.ends[0], "o", 1, 0), 1);
  loop.turn(loop.d.now() + 1'000'000);
  loop.turn(loop.d.now() + 1'000'000);
  EXPECT_FALSE(in.has_ended());
  ASSERT_EQ(::send(second.ends[1], "n", 1, 0), 1);
  EXPECT_EQ(loop.finish(in), 1);
  EXPECT_EQ(byte, 'n');
  ::close(copy);
}

TEST_P(descriptors, closed_while_somebody_waits_it_ends_or_can_be_cancelled) {
  test_loop loop(wanted());
  pair p;
  char byte = 0;
  receiving in(p.ends[1], &byte, 1);
  ASSERT_FALSE(loop.submit(in));
  // Not even handed to the kernel: it must not find the next owner of the number.
  close_in(loop, std::exchange(p.ends[1], -1));
  pair next;
  ASSERT_EQ(::send(next.ends[0], "n", 1, 0), 1);
  ASSERT_EQ(::send(next.ends[1], "n", 1, 0), 1);
  loop.collect();
  loop.cancel(in);
  const int result = loop.finish(in);
  EXPECT_EQ(result, is_epoll() ? -EBADF : -ECANCELED);
  EXPECT_EQ(byte, 0);
}

TEST_P(descriptors, one_socket_on_two_loops) {
  pair p;
  std::atomic<long> echoed{0};
  constexpr int rounds = 3'000;
  // One loop reads and the other writes the same end; a plain thread answers at the other end.
  std::thread peer([&] {
    ::fcntl(p.ends[0], F_SETFL, 0);
    char buffer[256];
    for (;;) {
      const auto n = ::recv(p.ends[0], buffer, sizeof buffer, 0);
      if (n <= 0) return;
      ASSERT_EQ(::send(p.ends[0], buffer, static_cast<std::size_t>(n), MSG_NOSIGNAL), n);
    }
  });
  std::thread writer([&] {
    test_loop loop(wanted());
    char block[100] = {};
    for (int i = 0; i < rounds; ++i) {
      std::size_t sent = 0;
      while (sent < sizeof block) {
        const int n = loop.run(sending(p.ends[1], block + sent, sizeof block - sent));
        ASSERT_GT(n, 0);
        sent += static_cast<std::size_t>(n);
      }
      // In step now and then, so that both directions run dry.
      while (i % 16 == 0 && echoed.load() < i * 100L) std::this_thread::yield();
    }
  });
  test_loop loop(wanted());
  char buffer[256];
  while (echoed.load() < rounds * 100L) {
    const int n = loop.run(receiving(p.ends[1], buffer, sizeof buffer));
    ASSERT_GT(n, 0);
    echoed += n;
  }
  writer.join();
  ::shutdown(p.ends[1], SHUT_RDWR);
  peer.join();
}

// Where standard input and output are closed, what the program prints must not reach what is ours.
TEST_P(descriptors, leave_the_numbers_of_standard_input_and_output_alone) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (int fd : {0, 1, 2}) ::close(fd);
    test_options alone = wanted();
    alone.blocking = nullptr;
    test_loop loop(alone);
    int taken = 0;
    for (int fd : {0, 1, 2}) taken += ::fcntl(fd, F_GETFD) != -1;
    pair p;
    exchange(loop, p.ends[0], p.ends[1]);
    ::_exit(taken);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

class rings : public on_each_driver {};

TEST_P(rings, are_not_shared_with_a_forked_child) {
  test_loop loop(wanted());
  const pid_t child = ::fork();
  if (child == 0) {
    // The ring is not there: the child dies of touching it, and writes nothing into its parent's.
    ::signal(SIGSEGV, SIG_DFL);
    ::signal(SIGBUS, SIG_DFL);
    pair p;
    char byte;
    receiving in(p.ends[1], &byte, 1);
    loop.submit(in);
    loop.collect();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  pair p;
  exchange(loop, p.ends[0], p.ends[1]);
  EXPECT_EQ(loop.d.count().submitted, 1u);
}

TEST_P(descriptors, nothing_stays_open) {
  const int before = open_descriptors();
  {
    test_loop loop(wanted());
    pair p;
    exchange(loop, p.ends[0], p.ends[1]);
  }
  EXPECT_EQ(open_descriptors(), before);
}

ASTD_ON_EACH_DRIVER(descriptors);
ASTD_ON_DRIVERS(rings, ring_setups);

}  // namespace
}  // namespace astd::driver::testing
