#include <astd/base/test_descriptors.hpp>
#include <astd/future.hpp>
#include <astd/process.hpp>
#include <astd/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/signal.hpp>
#include <astd/task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace astd::signal {
namespace {

using namespace std::chrono_literals;

task<int> next_of(stream& s) {
  const std::optional<int> number = co_await s.next();
  co_return number.value_or(-1);
}

ASTD_TEST(signal, a_stream_gives_each_arrival) {
  stream some(SIGUSR1);
  EXPECT_EQ(some.number(), SIGUSR1);
  for (int i = 0; i < 3; ++i) {
    ::kill(::getpid(), SIGUSR1);
    const int number = co_await next_of(some);
    EXPECT_EQ(number, SIGUSR1);
  }
}

ASTD_TEST(signal, one_that_comes_while_nobody_waits_is_kept) {
  stream early(SIGUSR1);
  stream late(SIGUSR1);
  ::kill(::getpid(), SIGUSR1);
  const int one = co_await next_of(late);
  EXPECT_EQ(one, SIGUSR1);
  const int other = co_await next_of(early);
  EXPECT_EQ(other, SIGUSR1);
  const auto more = co_await as_result(timeout(1ms, early.next()));
  EXPECT_EQ(more.error(), std::errc::timed_out);
}

ASTD_TEST(signal, every_listener_is_told_of_its_own_signal_only) {
  std::vector<stream> those;
  for (int i = 0; i < 50; ++i) those.emplace_back(SIGUSR1);
  stream other(SIGUSR2);
  std::vector<task<int>> waiting;
  for (stream& s : those) waiting.push_back(next_of(s));
  auto together = [](std::vector<task<int>> each) -> task<std::vector<int>> {
    const std::vector<int> got = co_await join(std::move(each));
    co_return got;
  };
  auto all = spawn(together(std::move(waiting)));
  for (int i = 0; i < 10; ++i) co_await this_task::yield();
  EXPECT_FALSE(all.is_finished());
  ::kill(::getpid(), SIGUSR1);
  const std::vector<int> numbers = co_await std::move(all);
  EXPECT_EQ(numbers, std::vector<int>(50, SIGUSR1));
  const auto none = co_await as_result(timeout(1ms, other.next()));
  EXPECT_FALSE(none);
}

TEST(signal, several_runtimes_are_told) {
  runtime_options options = runtime_options::from_environment();
  options.workers = 1;
  runtime one(options);
  runtime two(options);
  std::vector<join_handle<int>> waiting;
  for (runtime* r : {&one, &two}) {
    stream s(SIGUSR1);
    waiting.push_back(r->spawn([](stream from) -> task<int> {
      const int number = co_await next_of(from);
      co_return number;
    }(std::move(s))));
  }
  ::kill(::getpid(), SIGUSR1);
  for (auto& w : waiting) EXPECT_EQ(block_on(std::move(w)), SIGUSR1);
}

ASTD_TEST(signal, a_cancelled_wait_takes_none) {
  stream some(SIGUSR1);
  for (int turns = 0; turns < 20; ++turns) {
    auto waiting = spawn(next_of, std::ref(some));
    for (int i = 0; i < turns % 5; ++i) co_await this_task::yield();
    ::kill(::getpid(), SIGUSR1);
    const auto got = co_await waiting.cancel();
    if (got) continue;
    const int number = co_await next_of(some);
    EXPECT_EQ(number, SIGUSR1);
  }
}

ASTD_TEST(signal, ctrl_c_is_awaited) {
  auto waiting = spawn(ctrl_c());
  auto pressing = []() -> task<> {
    // Whoever waits may not listen yet; the first stream keeps the signal from ending the test.
    const stream safe(SIGINT);
    for (;;) {
      ::kill(::getpid(), SIGINT);
      co_await this_task::sleep_for(1ms);
    }
  };
  auto keys = spawn(pressing());
  co_await std::move(waiting);
  co_await keys.cancel();
}

TEST(signal, refuses_what_cannot_be_handled) {
  for (const int number : {SIGKILL, SIGSTOP, SIGSEGV, 0, -1, 1000}) {
    try {
      const stream none(number);
      ADD_FAILURE() << number;
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), std::errc::invalid_argument);
      EXPECT_EQ(std::string(e.what()), "listen to signal " + std::to_string(number) + ": Invalid argument");
    }
  }
}

int handled_before = 0;
TEST(signal, a_handler_that_was_there_is_still_called) {
  // A signal that no other test listens to.
  struct sigaction old = {};
  old.sa_handler = [](int) { ++handled_before; };
  // Once, however often the test is repeated: it would take the place of ours.
  if (handled_before == 0) ::sigaction(SIGWINCH, &old, nullptr);
  stream some(SIGWINCH);
  ::raise(SIGWINCH);
  EXPECT_GT(handled_before, 0);
  EXPECT_EQ(block_on(next_of(some)), SIGWINCH);
}

ASTD_TEST(signal, children_are_born_with_the_default_action) {
  const stream some(SIGUSR1);
  process::command self("sh");
  self.arg("-c").arg("kill -USR1 $$; echo survived");
  const process::output all = co_await self.output();
  EXPECT_EQ(all.status.signal(), SIGUSR1);
  EXPECT_EQ(all.standard_output, "");
}

ASTD_TEST(signal, a_graceful_shutdown_is_asked_for_by_the_first) {
  graceful_shutdown stop({SIGUSR2});
  EXPECT_FALSE(stop.token().is_cancelled());
  auto waiting = spawn(stop.requested());
  ::kill(::getpid(), SIGUSR2);
  co_await std::move(waiting);
  EXPECT_TRUE(stop.token().is_cancelled());
}

TEST(signal, a_graceful_shutdown_that_is_refused_listens_to_nothing) {
  EXPECT_THROW(graceful_shutdown({SIGUSR2, SIGKILL}), std::system_error);
  stream heard(SIGUSR2);
  // The second would end the process.
  for (int i = 0; i < 2; ++i) {
    ::kill(::getpid(), SIGUSR2);
    EXPECT_EQ(block_on(next_of(heard)), SIGUSR2);
  }
}

// In a process of its own, which closes every descriptor as daemons do.
[[noreturn]] void ask_when_all_is_closed() {
  graceful_shutdown first({SIGUSR2});
  ::kill(::getpid(), SIGUSR2);
  while (!first.token().is_cancelled()) test::nap();
  graceful_shutdown second({SIGUSR1});
  // The thread may be back in its read, which the close does not end: a last word wakes it, and the next read fails.
  int wakes = -1;
  for (int i = 3; i < 64; ++i) {
    char target[64];
    const std::string link = "/proc/self/fd/" + std::to_string(i);
    const ssize_t n = ::readlink(link.c_str(), target, sizeof target);
    if (n > 0 && std::string_view(target, static_cast<std::size_t>(n)) == "anon_inode:[eventfd]") wakes = i;
  }
  const int copy = ::dup(wakes);
  ::close(wakes);
  const std::uint64_t one = 1;
  const ssize_t told = ::write(copy, &one, sizeof one);
  ::kill(::getpid(), SIGUSR1);
  while (!second.token().is_cancelled()) test::nap();
  std::_Exit(told == sizeof one ? 0 : 1);
}

TEST(signal_death, tells_though_its_descriptor_was_closed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(ask_when_all_is_closed(), testing::ExitedWithCode(0), "");
}

// In a process of its own.
[[noreturn]] void ask_twice() {
  graceful_shutdown stop({SIGUSR2});
  ::kill(::getpid(), SIGUSR2);
  while (!stop.token().is_cancelled()) test::nap();
  ::kill(::getpid(), SIGUSR2);
  for (;;) ::pause();
}

TEST(signal_death, the_second_ends_the_process_at_once) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(ask_twice(), testing::ExitedWithCode(128 + SIGUSR2), "");
}

ASTD_TEST_WITH(signal, run_gracefully_lets_the_body_end_and_cancels_it_later, test::virtual_time()) {
  auto obedient = [](cancel_token stop) -> task<> { co_await stop.cancelled(); };
  auto press = []() -> task<> {
    co_await this_task::sleep_for(1s);
    ::kill(::getpid(), SIGTERM);
  };
  auto key = spawn(press());
  const bool by_itself = co_await run_gracefully(obedient, 10s);
  EXPECT_TRUE(by_itself);
  co_await std::move(key);
}

}  // namespace
}  // namespace astd::signal
