// Sleeping and waking, helpers, the clock.
#include <astd/driver/test_loop.hpp>

#include <array>
#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace astd::driver::testing {
namespace {

class waiting : public on_each_driver {};
class helped : public on_each_driver {};

TEST_P(waiting, a_wake_before_the_wait_ends_it) {
  test_loop loop(wanted());
  for (int i = 0; i < 10; ++i) {
    loop.d.wake();
    loop.d.wake();
    loop.d.prepare_wait();
    loop.d.wait(detail::never);  // would hang
  }
}

TEST_P(waiting, a_wake_that_collect_saw_first_still_ends_the_wait) {
  test_loop loop(wanted());
  pair p;
  char byte;
  receiving in(p.ends[1], &byte, 1);
  ASSERT_FALSE(loop.submit(in));
  for (int i = 0; i < 10; ++i) {
    loop.d.prepare_wait();
    loop.d.wait(0);
    loop.d.wake();
    for (int k = 0; k < 3; ++k) loop.collect(k != 1);
    loop.d.prepare_wait();
    loop.d.wait(detail::never);  // would hang
  }
  loop.cancel(in);
  loop.finish(in);
}

TEST_P(waiting, no_wake_of_another_thread_is_lost) {
  test_loop loop(wanted());
  std::atomic<int> published{0}, seen{0};
  constexpr int rounds = 20'000;
  std::thread other([&] {
    for (int i = 1; i <= rounds; ++i) {
      published.store(i, std::memory_order_release);
      loop.d.wake();
      // Sometimes in step, sometimes ahead.
      if (i % 3 == 0) {
        while (seen.load(std::memory_order_acquire) < i) std::this_thread::yield();
      }
    }
  });
  while (seen.load(std::memory_order_relaxed) < rounds) {
    const int now = published.load(std::memory_order_acquire);
    seen.store(now, std::memory_order_release);
    if (now < rounds) loop.turn();
  }
  other.join();
}

TEST_P(helped, no_wake_is_lost_while_a_helper_collects) {
  test_loop loop(wanted());
  pair p;
  char byte;
  receiving in(p.ends[1], &byte, 1);
  ASSERT_FALSE(loop.submit(in));
  std::atomic<int> published{0}, seen{0};
  std::atomic<bool> stop{false};
  constexpr int rounds = 10'000;
  std::thread helper([&] {
    while (!stop.load()) {
      loop.collect(false);
      std::this_thread::yield();
    }
  });
  std::thread other([&] {
    for (int i = 1; i <= rounds; ++i) {
      published.store(i, std::memory_order_release);
      loop.d.wake();
      while (seen.load(std::memory_order_acquire) < i) std::this_thread::yield();
    }
  });
  while (seen.load(std::memory_order_relaxed) < rounds) {
    const int now = published.load(std::memory_order_acquire);
    seen.store(now, std::memory_order_release);
    if (now < rounds) loop.turn();
  }
  other.join();
  stop = true;
  helper.join();
  loop.cancel(in);
  loop.finish(in);
}

TEST_P(helped, a_helper_collects_what_the_busy_owner_does_not) {
  test_loop loop(wanted());
  pair p;
  char buffer[8];
  for (int i = 0; i < 20; ++i) {
    receiving in(p.ends[1], buffer, sizeof buffer);
    ASSERT_FALSE(loop.submit(in));
    loop.collect();
    std::thread helper([&] {
      ASSERT_EQ(::send(p.ends[0], "x", 1, 0), 1);
      while (!in.has_ended()) loop.collect(false);
    });
    // Busy, in no system call.
    while (!in.has_ended()) std::atomic_signal_fence(std::memory_order_seq_cst);
    helper.join();
    EXPECT_EQ(in.result, 1);
  }
}

TEST_P(waiting, one_thread_after_another_owns_the_loop) {
  test_options handed_on = wanted();
  handed_on.one_owner = false;
  test_loop loop(handed_on);
  pair p, q;
  listening server(loop);
  char early = 0, late = 0;
  // Begun by this thread, finished by the next, and what that one began by this one again.
  receiving first(p.ends[0], &early, 1), second(p.ends[1], &late, 1);
  ASSERT_FALSE(loop.submit(first));
  loop.collect();
  accepting many(server.fd);
  test_operation one(opcode::accept, server.fd);
  polling readable(q.ends[1], POLLIN);
  std::thread next([&] {
    // The kernel takes back what a thread has begun when the thread ends; nobody notices.
    ASSERT_FALSE(loop.submit(second));
    ASSERT_FALSE(loop.submit(readable));
    ASSERT_FALSE(loop.submit(many));
    ASSERT_FALSE(loop.submit(one));
    ASSERT_EQ(loop.run(sending(p.ends[1], "a", 1)), 1);
    ASSERT_EQ(loop.finish(first), 1);
  });
  next.join();
  ASSERT_EQ(loop.run(sending(p.ends[0], "b", 1)), 1);
  EXPECT_EQ(loop.finish(second), 1);
  ASSERT_EQ(loop.run(sending(q.ends[0], "c", 1)), 1);
  EXPECT_EQ(loop.finish(readable), POLLIN);
  std::vector<int> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.dial());
    while (many.taken.size() + (one.has_ended() ? 1 : 0) < clients.size()) loop.turn();
  }
  for (test_operation* op : {static_cast<test_operation*>(&many), &one}) {
    loop.cancel(*op);
    loop.finish(*op);
  }
  EXPECT_EQ(many.result, -ECANCELED);
  if (one.result >= 0) many.taken.push_back(one.result);
  EXPECT_EQ(many.taken.size(), clients.size());
  for (int fd : clients) ::close(fd);
  for (int fd : many.taken) close_in(loop, fd);
  EXPECT_EQ(early, 'a');
  EXPECT_EQ(late, 'b');
}

TEST_P(waiting, the_deadline_ends_the_wait_and_not_much_earlier) {
  test_loop loop(wanted());
  for (detail::instant span : {0, 50'000, 1'000'000, 5'000'000}) {
    // A wake that was answered is not one for ever.
    loop.d.wake();
    for (int i = 0; i < 3; ++i) loop.turn(0);
    const detail::instant deadline = loop.d.now() + span;
    int returns = 0;
    while (loop.d.now() < deadline) {
      loop.d.prepare_wait();
      loop.d.wait(deadline);
      ++returns;
    }
    // Early returns are allowed; spinning is not.
    EXPECT_LE(returns, 20) << span;
  }
  loop.d.prepare_wait();
  loop.d.wait(INT64_MIN);  // long past
}

TEST_P(waiting, a_deadline_in_another_century_is_no_error) {
  test_loop loop(wanted());
  std::thread other([&] { loop.d.wake(); });
  loop.d.prepare_wait();
  loop.d.wait(detail::never - 1);
  other.join();
}

TEST_P(waiting, an_operation_ends_the_wait) {
  test_loop loop(wanted());
  pair p;
  char byte;
  for (int i = 0; i < 200; ++i) {
    receiving in(p.ends[1], &byte, 1);
    ASSERT_FALSE(loop.submit(in));
    std::thread other([&] { ASSERT_EQ(::send(p.ends[0], "x", 1, 0), 1); });
    EXPECT_EQ(loop.finish(in), 1);
    other.join();
  }
}

TEST_P(waiting, what_ended_between_two_collects_keeps_the_owner_awake) {
  test_loop loop(wanted());
  pair p;
  char byte;
  receiving in(p.ends[1], &byte, 1);
  ASSERT_FALSE(loop.submit(in));
  for (int i = 0; i < 3; ++i) loop.turn(0);  // no news of the descriptor itself is left
  loop.cancel(in);
  EXPECT_TRUE(loop.d.ready());
  loop.d.prepare_wait();
  loop.d.wait(detail::never);  // would hang
  EXPECT_EQ(loop.finish(in), -ECANCELED);
  // The same for what the blocking pool had.
  pool.hold();
  test_operation open(opcode::openat, AT_FDCWD);
  open.args.path = {"/dev/null", O_RDONLY, 0};
  loop.submit(open);
  loop.cancel(open);
  loop.d.prepare_wait();
  loop.d.wait(detail::never);
  if (loop.finish(open) >= 0) close_in(loop, open.result);
  pool.let_go();
}

TEST_P(waiting, ready_tells_when_there_is_something_to_do) {
  test_loop loop(wanted());
  pair p;
  char byte;
  for (int i = 0; i < 3; ++i) loop.turn(0);
  EXPECT_FALSE(loop.d.ready());
  receiving in(p.ends[1], &byte, 1);
  ASSERT_FALSE(loop.submit(in));
  EXPECT_TRUE(loop.d.ready());
  loop.collect();
  ASSERT_EQ(::send(p.ends[0], "x", 1, 0), 1);
  EXPECT_TRUE(loop.d.ready());
  EXPECT_EQ(loop.finish(in), 1);
}

test_loop* signalled = nullptr;

TEST_P(waiting, a_signal_handler_may_wake) {
  test_loop loop(wanted());
  signalled = &loop;
  struct sigaction action{};
  action.sa_handler = [](int) { signalled->d.wake(); };
  struct sigaction before{};
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  std::atomic<bool> done{false};
  const pthread_t owner = ::pthread_self();
  std::thread other([&] {
    while (!done.load()) {
      ::pthread_kill(owner, SIGUSR1);
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < 1'000; ++i) loop.turn();
  done = true;
  other.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_P(waiting, the_clock_does_not_go_backwards) {
  test_loop loop(wanted());
  detail::instant last = loop.d.now();
  for (int i = 0; i < 10'000; ++i) {
    const detail::instant now = loop.d.now();
    ASSERT_GE(now, last);
    last = now;
  }
}

ASTD_ON_EACH_DRIVER(waiting);
ASTD_ON_DRIVERS(helped, shared_setups);

}  // namespace
}  // namespace astd::driver::testing
