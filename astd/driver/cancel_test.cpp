// Cancellation: an operation ends exactly once, its buffer is free afterwards, and a result that came first stands.
#include <astd/driver/test_loop.hpp>

#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace astd::driver::testing {
namespace {

class cancels : public on_each_driver {};

TEST_P(cancels, a_waiting_receive_whose_buffer_is_free_afterwards) {
  test_loop loop(wanted());
  pair p;
  auto buffer = std::make_unique<char[]>(64);
  receiving in(p.ends[1], buffer.get(), 64);
  ASSERT_FALSE(loop.submit(in));
  loop.collect();
  loop.cancel(in);
  loop.cancel(in);  // a second time: nothing
  EXPECT_EQ(loop.finish(in), -ECANCELED);
  loop.cancel(in);  // after the end: nothing
  std::memset(buffer.get(), 7, 64);
  ASSERT_EQ(::send(p.ends[0], "later", 5, 0), 5);
  loop.collect();
  EXPECT_EQ(buffer[0], 7);
  EXPECT_EQ(loop.run(in), 5);
  EXPECT_EQ(loop.d.count().cancelled, 1u);
}

TEST_P(cancels, before_the_kernel_has_seen_it) {
  test_loop loop(wanted());
  pair p;
  char buffer[8];
  receiving in(p.ends[1], buffer, 8);
  ASSERT_FALSE(loop.submit(in));
  loop.cancel(in);
  EXPECT_EQ(loop.finish(in), -ECANCELED);
}

TEST_P(cancels, every_kind_that_waits) {
  test_loop loop(wanted());
  pair p;
  listening server(loop);
  char buffer[8];
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  adopt(ends[0]);
  adopt(ends[1]);
  std::vector<char> much(1 << 22);
  iovec part{buffer, sizeof buffer};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  std::vector<std::unique_ptr<test_operation>> all;
  all.push_back(std::make_unique<receiving>(p.ends[0], buffer, 8));
  all.push_back(std::make_unique<test_operation>(opcode::recvmsg, p.ends[0]));
  all.back()->args.message = {&message, 0};
  all.push_back(std::make_unique<test_operation>(opcode::accept, server.fd));
  all.push_back(std::make_unique<accepting>(server.fd));
  all.push_back(std::make_unique<polling>(p.ends[0], POLLIN));
  all.push_back(std::make_unique<transferring>(opcode::read, ends[0], buffer, 8, -1));
  all.push_back(std::make_unique<transferring>(opcode::read, p.ends[0], buffer, 8, -1));
  for (auto& op : all) ASSERT_FALSE(loop.submit(*op)) << name_of(op->code);
  // The same that end at once when there is room, until there is none.
  auto send = std::make_unique<sending>(p.ends[0], much.data(), much.size());
  while (loop.submit(*send) || (loop.collect(), loop.collect(), send->has_ended())) ASSERT_GT(send->result, 0);
  all.push_back(std::move(send));
  loop.collect();
  for (auto& op : all) {
    ASSERT_FALSE(op->has_ended()) << name_of(op->code);
    loop.cancel(*op);
  }
  for (auto& op : all) EXPECT_EQ(loop.finish(*op), -ECANCELED) << name_of(op->code);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_P(cancels, one_of_several_waiters) {
  test_loop loop(wanted());
  pair p;
  char buffers[3];
  receiving a(p.ends[1], &buffers[0], 1), b(p.ends[1], &buffers[1], 1), c(p.ends[1], &buffers[2], 1);
  for (test_operation* op : {&a, &b, &c}) ASSERT_FALSE(loop.submit(*op));
  loop.collect();
  loop.cancel(b);
  EXPECT_EQ(loop.finish(b), -ECANCELED);
  ASSERT_EQ(::send(p.ends[0], "xy", 2, 0), 2);
  EXPECT_EQ(loop.finish(a), 1);
  EXPECT_EQ(loop.finish(c), 1);
}

TEST_P(cancels, whoever_was_told_of_what_another_took) {
  test_loop loop(wanted());
  pair p;
  for (int i = 0; i < 50; ++i) {
    char bytes[2];
    receiving a(p.ends[1], &bytes[0], 1), b(p.ends[1], &bytes[1], 1);
    ASSERT_FALSE(loop.submit(a));
    ASSERT_FALSE(loop.submit(b));
    loop.collect();
    // Both may be told; one byte is for one of them.
    ASSERT_EQ(::send(p.ends[0], "x", 1, 0), 1);
    loop.cancel(b);
    if (loop.finish(b) == 1) loop.cancel(a);
    EXPECT_EQ(loop.finish(a) + b.result, 1 - ECANCELED);
  }
}

TEST_P(cancels, racing_with_completion_it_ends_once_and_no_byte_is_lost) {
  test_loop loop(wanted());
  pair p;
  std::atomic<int> asked{0}, sent{0};
  constexpr int rounds = 5'000;
  std::thread sender([&] {
    for (int i = 1; i <= rounds; ++i) {
      while (asked.load() < i) std::this_thread::yield();
      char byte = static_cast<char>(i);
      ASSERT_EQ(::send(p.ends[0], &byte, 1, 0), 1);
      sent.store(i);
    }
  });
  int received = 0, cancelled = 0;
  for (int i = 1; i <= rounds; ++i) {
    char byte = 0;
    receiving in(p.ends[1], &byte, 1);
    loop.submit(in);
    loop.collect();
    asked.store(i);
    for (int spin = 0; spin < i % 200; ++spin) std::atomic_signal_fence(std::memory_order_seq_cst);
    loop.cancel(in);
    const int result = loop.finish(in);
    if (result == 1) {
      ++received;
    } else {
      ASSERT_EQ(result, -ECANCELED);
      ++cancelled;
      while (sent.load() < i) std::this_thread::yield();
      ASSERT_EQ(loop.run(in), 1);
    }
    ASSERT_EQ(byte, static_cast<char>(i));
  }
  sender.join();
  EXPECT_EQ(received + cancelled, rounds);
}

TEST_P(cancels, from_another_thread_while_the_owner_sleeps) {
  test_loop loop(wanted());
  pair p;
  for (int i = 0; i < 300; ++i) {
    char byte;
    receiving in(p.ends[1], &byte, 1);
    ASSERT_FALSE(loop.submit(in));
    std::thread other([&] {
      loop.cancel(in);
      loop.d.wake();
    });
    EXPECT_EQ(loop.finish(in), -ECANCELED);
    other.join();
  }
}

TEST_P(cancels, what_the_pool_has_not_begun) {
  test_loop loop(wanted());
  const int directory = ::open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  pool.hold();
  std::vector<std::unique_ptr<test_operation>> all;
  for (int i = 0; i < 4; ++i) {
    auto op = std::make_unique<test_operation>(opcode::openat, directory);
    op->args.path = {"status", O_RDONLY, 0};
    loop.submit(*op);
    all.push_back(std::move(op));
  }
  for (auto& op : all) loop.cancel(*op);
  pool.let_go();
  for (auto& op : all) {
    const int result = loop.finish(*op);
    // The ring may have opened it; the pool had not.
    if (result >= 0) {
      EXPECT_FALSE(is_epoll());
      close_in(loop, result);
    } else {
      EXPECT_EQ(result, -ECANCELED);
    }
  }
  ::close(directory);
}

TEST_P(cancels, many_at_once) {
  test_loop loop(wanted());
  pair p;
  std::vector<char> buffers(3'000);
  std::vector<std::unique_ptr<test_operation>> all;
  for (char& byte : buffers) {
    all.push_back(std::make_unique<receiving>(p.ends[1], &byte, 1));
    ASSERT_FALSE(loop.submit(*all.back()));
  }
  loop.collect();
  for (auto& op : all) loop.cancel(*op);
  for (auto& op : all) EXPECT_EQ(loop.finish(*op), -ECANCELED);
}

ASTD_ON_EACH_DRIVER(cancels);

}  // namespace
}  // namespace astd::driver::testing
