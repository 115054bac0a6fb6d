// astd as a guest in a program that has its own threads, signal handlers and children: it disturbs none of them, is
// disturbed by none, and leaves nothing behind.
//
// main() never touches astd. A thread of the program's uses it first, several runtimes beside the default one; meanwhile
// a timer interrupts the program a thousand times a second, without SA_RESTART, and children are forked and waited for.
#include <astd/fs.hpp>
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

void check(bool holds, const char* what, int line) {
  if (holds) return;
  std::fprintf(stderr, "line %d: %s\n", line, what);
  std::_Exit(1);
}
#define CHECK(...) check((__VA_ARGS__), #__VA_ARGS__, __LINE__)

// ---- the program's own

std::atomic<unsigned> alarms{0};
thread_local bool takes_no_signals = false;
std::atomic<unsigned> misplaced{0};

void on_alarm(int) {
  int const before = errno;
  alarms.fetch_add(1, std::memory_order_relaxed);
  if (takes_no_signals) misplaced.fetch_add(1, std::memory_order_relaxed);
  errno = before;
}

/// What is to be found unchanged: all dispositions, this thread's mask.
struct signal_state {
  std::array<struct sigaction, 65> actions{};
  sigset_t mask{};
  signal_state() {
    for (int i = 1; i < 65; ++i) ::sigaction(i, nullptr, &actions[static_cast<std::size_t>(i)]);
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  }
  bool operator==(signal_state const& other) const {
    for (std::size_t i = 1; i < 65; ++i)
      if (actions[i].sa_handler != other.actions[i].sa_handler || actions[i].sa_flags != other.actions[i].sa_flags)
        return false;
    for (int i = 1; i < 65; ++i)
      if (::sigismember(&mask, i) != ::sigismember(&other.mask, i)) return false;
    return true;
  }
};

std::size_t entries_of(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

void interrupt_often(bool on) {
  itimerval const every{{0, on ? 1000 : 0}, {0, on ? 1000 : 0}};
  CHECK(::setitimer(ITIMER_REAL, &every, nullptr) == 0);
}

/// Two kinds of children: one that only ends, one that becomes another program.
void fork_and_wait(int number) {
  pid_t const child = ::fork();
  if (child == 0) {
    if (number % 2 == 0) ::_exit(number % 100);
    ::execl("/bin/sh", "sh", "-c", "exit 7", static_cast<char*>(nullptr));
    ::_exit(99);
  }
  CHECK(child > 0);
  int status = 0;
  pid_t ended;
  while ((ended = ::waitpid(child, &status, 0)) < 0 && errno == EINTR) {
  }
  CHECK(ended == child);  // nobody else has taken it
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == (number % 2 == 0 ? number % 100 : 7));
}

// ---- what it uses astd for

astd::task<> answer(astd::net::tcp_listener& listener) {
  auto accepted = co_await listener.accept();
  std::array<char, 64> buffer;
  for (;;) {
    auto const count = co_await accepted.first.read(buffer);
    if (count == 0) co_return;
    co_await astd::io::write_all(accepted.first, std::span(buffer).first(count));
  }
}

astd::task<> talk(int times) {
  auto listener = co_await astd::net::tcp_listener::bind("127.0.0.1:0");
  auto server = astd::spawn(answer, std::ref(listener));
  {
    auto stream = co_await astd::net::tcp_stream::connect(listener.local_address());
    std::array<char, 5> heard{};
    for (int i = 0; i < times; ++i) {
      co_await astd::io::write_all(stream, std::string_view("hello"));
      co_await astd::io::read_exact(stream, heard);
      CHECK(std::string_view(heard.data(), heard.size()) == "hello");
      co_await astd::this_task::sleep_for(100us);
    }
  }
  co_await std::move(server);
}

int blocks() {
  // A call of the program's that a signal would cut short.
  auto const end = std::chrono::steady_clock::now() + 2ms;
  std::this_thread::sleep_until(end);
  return 3;
}

astd::task<int> work(int times) {
  co_await talk(times);
  auto const text = co_await astd::fs::read_to_string("/proc/self/comm");
  CHECK(!text.empty());
  auto const three = co_await astd::spawn_blocking(blocks);
  co_return three;
}

/// On a thread of the program's, with a runtime of its own or the default one.
void visit(int number) {
  for (int i = 0; i < 3; ++i) {
    if (number % 3 == 0) {
      CHECK(astd::block_on(work(20)) == 3);
    } else if (number % 3 == 1) {
      astd::runtime own({.workers = 2, .name = "own"});
      CHECK(own.block_on(own.spawn(work(20))) == 3);
      CHECK(own.shutdown(10s).complete);
    } else {
      astd::runtime loop({.workers = 0, .name = "loop"});
      CHECK(loop.block_on(work(20)) == 3);
    }
  }
}

/// On a thread that takes no signals: so do those that are started from it.
void visit_unseen() {
  sigset_t all;
  ::sigfillset(&all);
  CHECK(::pthread_sigmask(SIG_BLOCK, &all, nullptr) == 0);
  astd::runtime quiet({.workers = 2, .name = "quiet"});
  auto marks = []() -> astd::task<> {
    takes_no_signals = true;
    co_await talk(20);
    takes_no_signals = true;  // it may be another worker by now
    co_await astd::this_task::sleep_for(20ms);
  };
  std::vector<astd::join_handle<>> all_tasks;
  for (int i = 0; i < 10; ++i) all_tasks.push_back(quiet.spawn(marks));
  for (auto& one : all_tasks) quiet.block_on(std::move(one));
}

/// Runtimes that have ended have left nothing; before any other thread is there, and before the default runtime.
void leaves_nothing() {
  std::size_t const threads = entries_of("/proc/self/task");
  std::size_t const descriptors = entries_of("/proc/self/fd");
  for (int i = 0; i < 5; ++i) {
    astd::runtime own({.workers = 3, .name = "brief"});
    CHECK(own.block_on(own.spawn(work(5))) == 3);
  }
  CHECK(entries_of("/proc/self/fd") == descriptors);
  // A thread that was joined stays in that folder until the kernel has put it away.
  while (entries_of("/proc/self/task") != threads) std::this_thread::sleep_for(1ms);
}

}  // namespace

int main() {
  struct sigaction mine = {};
  mine.sa_handler = &on_alarm;  // no SA_RESTART
  CHECK(::sigaction(SIGALRM, &mine, nullptr) == 0);
  mine.sa_handler = SIG_IGN;
  CHECK(::sigaction(SIGUSR2, &mine, nullptr) == 0);
  std::thread(leaves_nothing).join();
  signal_state const before;

  interrupt_often(true);
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) threads.emplace_back(visit, i);
  threads.emplace_back(visit_unseen);
  for (int i = 0; i < 60; ++i) fork_and_wait(i);
  for (std::thread& one : threads) one.join();
  interrupt_often(false);

  CHECK(alarms > 0);
  CHECK(misplaced == 0);
  CHECK(signal_state() == before);
  std::printf("%u interruptions\n", alarms.load());
}
