// What one more costs when there are many: growth_bench WHAT WORKERS N. `growth` runs it at all sizes and draws it.
//
//   tasks        N tasks spawned at once, each yields once, then all joined
//   timers       N tasks that sleep 10 to 70 s, then cancelled and joined
//   expiry       N tasks that sleep until times spread over a second, a second from now: their expiry
//   connections  N connections on the loopback, held open by a child process: each answers a message, one after
//                another, in a random order
//   workers      100,000 tasks that yield ten times, on WORKERS workers; N is ignored
//
// Prints, for each phase: GROWTH phase n wall_ns_each cpu_ns_each user_cpu_ns_each bytes_each
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <bench/report.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using time_source = std::chrono::steady_clock;

/// Without what the kernel does for us.
double user_ns() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) * 1e9 + static_cast<double>(usage.ru_utime.tv_usec) * 1e3;
}

class phase {
 public:
  explicit phase(double resident = 0) : resident_(resident) {}
  void report(const char* name, std::uint64_t n, std::uint64_t operations) const {
    double const wall = std::chrono::duration<double, std::nano>(time_source::now() - begin_).count();
    double const cpu = bench::cpu_ns() - cpu_;
    double const user = user_ns() - user_;
    double const bytes = resident_ > 0 ? (bench::resident_bytes() - resident_) / static_cast<double>(n) : 0;
    auto const count = static_cast<double>(operations);
    std::printf("GROWTH %s %llu %.1f %.1f %.1f %.0f\n", name, static_cast<unsigned long long>(n), wall / count,
                cpu / count, user / count, bytes);
    std::fflush(stdout);
  }

 private:
  double resident_;
  double cpu_ = bench::cpu_ns();
  double user_ = user_ns();
  time_source::time_point begin_ = time_source::now();
};

astd::task<> yields(int times) {
  for (int i = 0; i < times; ++i) co_await astd::this_task::yield();
}

astd::task<> tasks(std::uint64_t n, int times, const char* name) {
  phase const all(bench::resident_bytes());
  std::vector<astd::join_handle<>> handles;
  handles.reserve(n);
  for (std::uint64_t i = 0; i < n; ++i) handles.push_back(astd::spawn(yields(times)));
  for (auto& handle : handles) co_await std::move(handle);
  all.report(name, n, n);
}

astd::task<> sleeps(std::chrono::microseconds length) { co_await astd::this_task::sleep_for(length); }

astd::task<> timers(std::uint64_t n) {
  std::vector<astd::join_handle<>> handles;
  handles.reserve(n);
  {
    phase const set(bench::resident_bytes());
    for (std::uint64_t i = 0; i < n; ++i) {
      handles.push_back(astd::spawn(sleeps(10s + std::chrono::microseconds(i * 7919 % 60'000'000))));
      if (i % 1000 == 999) co_await astd::this_task::yield();
    }
    co_await astd::this_task::sleep_for(1ms);
    set.report("timers_set", n, n);
  }
  phase const cancelled;
  for (auto& handle : handles) handle.request_cancel();
  for (auto& handle : handles) co_await handle.cancel();
  cancelled.report("timers_cancelled", n, n);
}

astd::task<> sleeps_until(time_source::time_point when) { co_await astd::this_task::sleep_until(when); }

astd::task<> expiry(std::uint64_t n) {
  auto const first = time_source::now() + 1s + std::chrono::microseconds(n);
  std::vector<astd::join_handle<>> handles;
  handles.reserve(n);
  for (std::uint64_t i = 0; i < n; ++i) {
    handles.push_back(astd::spawn(sleeps_until(first + std::chrono::nanoseconds(i * 7919 % 1'000'000 * 1000))));
    if (i % 1000 == 999) co_await astd::this_task::yield();
  }
  co_await astd::this_task::sleep_until(first - 1ms);
  phase const all;
  for (auto& handle : handles) co_await std::move(handle);
  all.report("expiry", n, n);
}

astd::task<> answer(astd::net::tcp_stream stream) {
  std::array<char, 64> buffer;
  for (;;) {
    auto const count = co_await astd::as_result(stream.read(buffer));
    if (!count || *count == 0) co_return;
    auto const written = co_await astd::as_result(astd::io::write_all(stream, std::span(buffer).first(*count)));
    if (!written) co_return;
  }
}

astd::task<> serve(astd::net::tcp_listener& listener) {
  for (;;) {
    auto accepted = co_await listener.accept();
    accepted.first.set_nodelay(true);
    astd::spawn(answer(std::move(accepted.first))).detach();
  }
}

void say(int to, char what) {
  if (write(to, &what, 1) != 1) std::_Exit(1);
}
void hear(int from) {
  char what;
  if (read(from, &what, 1) != 1) std::_Exit(1);
}

/// The child: plain calls, no astd. It connects, says so, and sends on all of them once it is told to.
[[noreturn]] void client(std::uint64_t n, std::uint64_t messages, int in, int out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::uint16_t port = 0;
  if (read(in, &port, sizeof port) != sizeof port) std::_Exit(1);
  std::vector<int> sockets;
  for (std::uint64_t i = 0; i < n; ++i) {
    int const it = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const on = 1;
    if (it < 0 || connect(it, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      std::perror("connect");
      std::_Exit(1);
    }
    setsockopt(it, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockets.push_back(it);
  }
  say(out, 'c');
  hear(in);
  // 50 under way at a time, as far as there are so many: the server is never idle, and has all in its hands.
  std::array<char, 64> buffer{};
  std::uint64_t const window = n < 50 ? n : 50;
  std::uint64_t place = 0;
  auto const next = [&] { return sockets[(place = (place + 7919) % n)]; };
  for (std::uint64_t i = 0; i < messages; i += window) {
    std::array<int, 50> used{};
    for (std::uint64_t k = 0; k < window; ++k) {
      used[k] = next();
      if (send(used[k], buffer.data(), buffer.size(), 0) != 64) std::_Exit(1);
    }
    for (std::uint64_t k = 0; k < window; ++k)
      if (recv(used[k], buffer.data(), buffer.size(), MSG_WAITALL) != 64) std::_Exit(1);
  }
  say(out, 'd');
  hear(in);
  std::_Exit(0);
}

struct pipes {
  int to_child[2];
  int to_parent[2];
};

void connections(astd::runtime& rt, std::uint64_t n, std::uint64_t messages, pipes const& child) {
  auto bind = []() -> astd::task<astd::net::tcp_listener> {
    auto listener = co_await astd::net::tcp_listener::bind("127.0.0.1:0");
    co_return listener;
  };
  auto listener = rt.block_on(bind());
  auto server = rt.spawn(serve, std::ref(listener));
  std::uint16_t const port = listener.local_address().port();
  phase const accepted(bench::resident_bytes());
  if (write(child.to_child[1], &port, sizeof port) != sizeof port) std::abort();
  hear(child.to_parent[0]);
  accepted.report("connections_accepted", n, n);
  phase const served;
  say(child.to_child[1], 'g');
  hear(child.to_parent[0]);
  served.report("connections_served", n, messages);
  std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s tasks|timers|expiry|connections|workers WORKERS N\n", argv[0]);
    return 2;
  }
  std::string_view const what = argv[1];
  auto const workers = static_cast<unsigned>(std::atoi(argv[2]));
  std::uint64_t const n = std::strtoull(argv[3], nullptr, 10);
  constexpr std::uint64_t messages = 60'000;
  pipes child{};
  if (what == "connections") {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (pipe(child.to_child) != 0 || pipe(child.to_parent) != 0) return 1;
    if (fork() == 0) client(n, messages, child.to_child[0], child.to_parent[1]);
  }
  astd::runtime rt({.workers = workers});
  if (what == "tasks") rt.block_on(rt.spawn(tasks(n, 1, "tasks")));
  if (what == "timers") rt.block_on(rt.spawn(timers(n)));
  if (what == "expiry") rt.block_on(rt.spawn(expiry(n)));
  if (what == "workers") rt.block_on(rt.spawn(tasks(100'000, 10, "workers")));
  if (what == "connections") connections(rt, n, messages, child);
  return 0;
}
