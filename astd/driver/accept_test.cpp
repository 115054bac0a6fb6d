// Accepting: bursts, cancellation that loses nobody, the limit of descriptors.
#include <astd/base/test_descriptors.hpp>
#include <astd/driver/test_loop.hpp>

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace astd::driver::testing {
namespace {

class accepts : public on_each_driver {};

TEST_P(accepts, a_burst_is_taken_without_a_turn_of_the_loop_for_each) {
  if (test::lacks_descriptors(250)) return;
  test_loop loop(wanted());
  listening server(loop);
  std::vector<int> clients, peers;
  for (int i = 0; i < 100; ++i) clients.push_back(server.dial());
  test_operation accept(opcode::accept, server.fd);
  int waited = 0;
  while (peers.size() < clients.size()) {
    if (!loop.submit(accept)) ++waited;
    ASSERT_GE(loop.finish(accept), 0);
    peers.push_back(accept.result);
  }
  EXPECT_LE(waited, 1);
  for (int fd : clients) ::close(fd);
  for (int fd : peers) close_in(loop, fd);
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
  if (test::lacks_descriptors(750)) return;
  test_loop loop(wanted());
  listening server(loop);
  const int before = open_descriptors();
  int accepted = 0, cancelled = 0;
  std::vector<int> clients, peers;
  for (int i = 0; i < 500; ++i) {
    test_operation accept(opcode::accept, server.fd);
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

// --- accept_many

void close_all(test_loop& loop, const std::vector<int>& clients, const std::vector<int>& peers) {
  for (int fd : clients) ::close(fd);
  for (int fd : peers) close_in(loop, fd);
}

void finish_cancelled(test_loop& loop, accepting& many) {
  loop.cancel(many);
  EXPECT_EQ(loop.finish(many), -ECANCELED);
  EXPECT_FALSE(many.in_flight);
}

TEST_P(accepts, many_go_on_with_one_operation) {
  if (test::lacks_descriptors(650)) return;
  test_loop loop(wanted());
  listening server(loop, 1024);
  const int before = open_descriptors();
  std::vector<int> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(server.dial());  // some wait already
  accepting many(server.fd);
  ASSERT_FALSE(loop.submit(many));
  for (int round = 1; round <= 50; ++round) {
    for (int i = 0; i < round % 12; ++i) clients.push_back(server.dial());
    while (many.taken.size() < clients.size()) loop.turn();
  }
  EXPECT_EQ(many.taken.size(), clients.size());
  EXPECT_TRUE(many.in_flight);
  finish_cancelled(loop, many);
  EXPECT_EQ(open_descriptors(), before + static_cast<int>(2 * clients.size()));
  close_all(loop, clients, many.taken);
}

TEST_P(accepts, many_cancelled_lose_no_connection) {
  if (test::lacks_descriptors(1100)) return;
  test_loop loop(wanted());
  listening server(loop);
  const int before = open_descriptors();
  std::vector<int> clients, peers;
  for (int i = 0; i < 500; ++i) {
    accepting many(server.fd);
    ASSERT_FALSE(loop.submit(many));
    if (i % 4 == 0) loop.collect();
    for (int k = 0; k < i % 3; ++k) clients.push_back(server.dial());
    if (i % 4 == 1) loop.collect();
    if (i % 4 == 2) loop.turn(0);
    many.hold = i % 5 == 0;
    if (many.hold) loop.turn(0);
    loop.cancel(many);
    many.hold = false;
    if (many.asked) many.take();
    EXPECT_EQ(loop.finish(many), -ECANCELED);
    peers.insert(peers.end(), many.taken.begin(), many.taken.end());
  }
  // Whoever was not accepted is still in the queue.
  while (peers.size() < clients.size()) {
    test_operation accept(opcode::accept, server.fd);
    const int result = loop.run(accept);
    ASSERT_GE(result, 0);
    peers.push_back(result);
  }
  EXPECT_EQ(open_descriptors(), before + static_cast<int>(clients.size() + peers.size()));
  close_all(loop, clients, peers);
}

TEST_P(accepts, many_wait_in_the_system_and_not_here) {
  if (test::lacks_descriptors(2200)) return;
  constexpr int count = 1500;
  test_loop loop(wanted());
  listening server(loop, 4096);
  const int before = open_descriptors();
  accepting many(server.fd);
  many.hold = true;
  ASSERT_FALSE(loop.submit(many));
  std::vector<int> clients;
  for (int i = 0; i < count; ++i) {
    clients.push_back(server.dial());
    loop.collect();
  }
  const int accepted = open_descriptors() - before - count;
  EXPECT_LE(accepted, count / 2) << "accepted ahead of anybody who asks";
  // Nobody who waits is forgotten.
  many.hold = false;
  many.take();
  while (many.taken.size() < clients.size()) loop.turn();
  finish_cancelled(loop, many);
  close_all(loop, clients, many.taken);
}

TEST_P(accepts, many_and_one_share_a_listener) {
  if (test::lacks_descriptors(200)) return;
  test_loop loop(wanted());
  test_loop other(wanted());
  listening server(loop);
  accepting here(server.fd), there(server.fd);
  test_operation one(opcode::accept, server.fd);
  ASSERT_FALSE(loop.submit(here));
  ASSERT_FALSE(loop.submit(one));
  ASSERT_FALSE(other.submit(there));
  std::vector<int> clients;
  const auto accepted = [&] { return here.taken.size() + there.taken.size() + (one.has_ended() ? 1 : 0); };
  for (int i = 0; i < 50; ++i) {
    clients.push_back(server.dial());
    while (accepted() < clients.size()) {
      loop.turn(0);
      other.turn(0);
    }
  }
  finish_cancelled(loop, here);
  finish_cancelled(other, there);
  if (!one.has_ended()) loop.cancel(one);
  if (loop.finish(one) >= 0) close_in(loop, one.result);
  close_all(loop, clients, here.taken);
  close_all(other, {}, there.taken);
}

TEST_P(accepts, many_end_where_nobody_listens) {
  test_loop loop(wanted());
  pair p;
  accepting many(p.ends[0]);
  loop.submit(many);
  EXPECT_EQ(loop.finish(many), -EINVAL);
  accepting none(1 << 20);
  loop.submit(none);
  EXPECT_EQ(loop.finish(none), -EBADF);
}

int many_at_the_limit(const test_options& wanted) {
  test_loop loop(wanted);
  listening server(loop);
  std::vector<int> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(server.dial());
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  std::vector<int> fillers;
  limit.rlim_cur = 64;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  for (int fd; (fd = ::dup(clients[0])) >= 0;) fillers.push_back(fd);
  for (int i = 0; i < 2; ++i) {
    ::close(fillers.back());
    fillers.pop_back();
  }
  // Two fit, then it ends, once.
  accepting many(server.fd);
  loop.submit(many);
  if (loop.finish(many) != -EMFILE) return 2;
  if (many.taken.size() != 2) return 3;
  for (int i = 0; i < 2; ++i) {
    if (loop.submit(many); loop.finish(many) != -EMFILE) return 4;
  }
  for (int fd : fillers) ::close(fd);
  loop.submit(many);
  while (many.taken.size() < clients.size()) loop.turn();
  loop.cancel(many);
  if (loop.finish(many) != -ECANCELED) return 5;
  return many.taken.size() == clients.size() ? 0 : 6;
}

TEST_P(accepts, many_end_at_the_limit_of_descriptors_and_go_on_afterwards) {
  const pid_t child = ::fork();
  if (child == 0) {
    test_options alone = wanted();
    alone.blocking = nullptr;
    ::_exit(many_at_the_limit(alone));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

ASTD_ON_EACH_DRIVER(accepts);

class helped_accepts : public on_each_driver {};

TEST_P(helped_accepts, many_by_the_owner_and_a_helper) {
  if (test::lacks_descriptors(1300)) return;
  test_loop loop(wanted());
  listening server(loop, 1024);
  accepting many(server.fd);
  ASSERT_FALSE(loop.submit(many));
  loop.collect();
  std::vector<int> clients;
  std::atomic<std::size_t> dialled{0};
  std::atomic<bool> stop{false};
  std::thread helper([&] {
    while (!stop.load()) {
      loop.collect(false);
      std::this_thread::yield();
    }
  });
  std::thread dialler([&] {
    for (int i = 0; i < 600; ++i) {
      clients.push_back(server.dial());
      dialled.store(clients.size());
      if (i % 50 == 0) std::this_thread::yield();
    }
    loop.d.wake();
  });
  const auto taken = [&] {
    detail::spin_guard guard(loop.lock);
    return many.taken.size();
  };
  while (taken() < 600) loop.turn(loop.d.now() + 1'000'000);
  dialler.join();
  stop = true;
  helper.join();
  finish_cancelled(loop, many);
  close_all(loop, clients, many.taken);
}

ASTD_ON_DRIVERS(helped_accepts, shared_setups);

}  // namespace
}  // namespace astd::driver::testing
