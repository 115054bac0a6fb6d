// Accepting: bursts, cancellation that loses nobody, the limit of descriptors.
#include <astd/driver/test_loop.hpp>

#include <cerrno>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace astd::driver::testing {
namespace {

class accepts : public on_each_driver {};

TEST_P(accepts, a_burst_is_taken_without_a_turn_of_the_loop_for_each) {
  test_loop loop(wanted());
  listening server(loop);
  for (opcode code : {opcode::accept, opcode::accept_many}) {
    std::vector<int> clients, peers;
    for (int i = 0; i < 100; ++i) clients.push_back(server.dial());
    test_operation accept(code, server.fd);
    int waited = 0;
    while (peers.size() < clients.size()) {
      if (!loop.submit(accept)) ++waited;
      ASSERT_GE(loop.finish(accept), 0);
      EXPECT_FALSE(accept.more);
      peers.push_back(accept.result);
    }
    EXPECT_LE(waited, 1);
    for (int fd : clients) ::close(fd);
    for (int fd : peers) close_in(loop, fd);
  }
}

TEST_P(accepts, several_accepts_wait_on_one_listener) {
  test_loop loop(wanted());
  listening server(loop);
  test_operation a(opcode::accept, server.fd), b(opcode::accept, server.fd);
  ASSERT_FALSE(loop.submit(a));
  ASSERT_FALSE(loop.submit(b));
  loop.collect();
  const int one = server.dial(), two = server.dial();
  const int first = loop.finish(a), second = loop.finish(b);
  EXPECT_GE(first, 0);
  EXPECT_GE(second, 0);
  EXPECT_NE(first, second);
  for (int fd : {one, two}) ::close(fd);
  for (int fd : {first, second}) close_in(loop, fd);
}

TEST_P(accepts, cancelling_loses_no_connection) {
  test_loop loop(wanted());
  listening server(loop);
  const int before = open_descriptors();
  int accepted = 0, cancelled = 0;
  std::vector<int> clients, peers;
  for (int i = 0; i < 500; ++i) {
    test_operation accept(i % 2 ? opcode::accept : opcode::accept_many, server.fd);
    loop.submit(accept);
    if (i % 4 == 0) loop.collect();
    if (i % 3 != 0) clients.push_back(server.dial());
    if (i % 4 == 1) loop.collect();
    loop.cancel(accept);
    const int result = loop.finish(accept);
    if (result >= 0) {
      ++accepted;
      peers.push_back(result);
    } else {
      ASSERT_EQ(result, -ECANCELED);
      ++cancelled;
    }
  }
  // Whoever was not accepted is still in the queue.
  while (peers.size() < clients.size()) {
    test_operation accept(opcode::accept, server.fd);
    const int result = loop.run(accept);
    ASSERT_GE(result, 0);
    peers.push_back(result);
  }
  EXPECT_GT(accepted + cancelled, 0);
  EXPECT_EQ(open_descriptors(), before + static_cast<int>(clients.size() + peers.size()));
  for (int fd : clients) ::close(fd);
  for (int fd : peers) close_in(loop, fd);
}

// In a child, for the limit is the process's.
int at_the_limit(const test_options& wanted) {
  test_loop loop(wanted);
  listening server(loop);
  const int client = server.dial();
  const int other = server.dial();
  // Every number up to the limit in use.
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  std::vector<int> fillers;
  limit.rlim_cur = 64;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  for (int fd; (fd = ::dup(client)) >= 0;) fillers.push_back(fd);
  test_operation accept(opcode::accept, server.fd);
  for (int i = 0; i < 3; ++i) {
    if (loop.run(accept) != -EMFILE) return 2;
  }
  ::close(fillers.back());
  fillers.pop_back();
  const int peer = loop.run(accept);
  if (peer < 0) return 3;
  if (loop.run(accept) != -EMFILE) return 4;
  ::close(fillers.back());
  if (loop.run(accept) < 0) return 5;
  ::close(other);
  return 0;
}

TEST_P(accepts, at_the_limit_of_descriptors_it_is_an_error_and_goes_on_afterwards) {
  const pid_t child = ::fork();
  if (child == 0) {
    test_options alone = wanted();
    alone.blocking = nullptr;
    ::_exit(at_the_limit(alone));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

ASTD_ON_EACH_DRIVER(accepts);

}  // namespace
}  // namespace astd::driver::testing
