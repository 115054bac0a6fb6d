// How long others wait while a task computes. `stalls` runs it beside tokio; by hand:
//
//   stall_bench timers COMPUTE_MS SECONDS    100 tasks that sleep 1 ms, over and over: how late they wake
//   stall_bench ready COMPUTE_MS SECONDS     8 tasks that the computing task spawns before it computes: until they run
//   stall_bench outside COMPUTE_MS SECONDS   tasks that a thread spawns, one each millisecond: until they run
//   stall_bench echo COMPUTE_MS PORT         an echo server, until it is killed; peers/paced_load.c measures
//
// Two workers, and one task that computes for COMPUTE_MS, sleeps 1 ms, and so on; 0: nobody computes. Prints
//
//   DELAY what p50_us p99_us p999_us max_us samples
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using time_source = std::chrono::steady_clock;

/// What all tasks measure, in microseconds.
class delays {
 public:
  void add(time_source::time_point due) {
    double const late = std::chrono::duration<double, std::micro>(time_source::now() - due).count();
    std::lock_guard const guard(lock_);
    all_.push_back(late);
  }

  void report(const char* what) {
    std::lock_guard const guard(lock_);
    if (all_.empty()) std::abort();
    std::sort(all_.begin(), all_.end());
    auto const at = [this](double part) {
      return all_[std::min(all_.size() - 1, static_cast<std::size_t>(part * static_cast<double>(all_.size())))];
    };
    std::printf("DELAY %s %.1f %.1f %.1f %.1f %zu\n", what, at(.5), at(.99), at(.999), all_.back(), all_.size());
    std::fflush(stdout);
  }

 private:
  std::mutex lock_;
  std::vector<double> all_;
};

delays measured;
time_source::time_point end;

bool over() { return time_source::now() >= end; }

astd::task<> note(time_source::time_point spawned) {
  measured.add(spawned);
  co_return;
}

astd::task<> compute(std::chrono::milliseconds length, int spawns) {
  while (!over()) {
    auto const begin = time_source::now();
    for (int i = 0; i < spawns; ++i) astd::spawn(note(time_source::now())).detach();
    while (time_source::now() - begin < length) {
    }
    co_await astd::this_task::sleep_for(1ms);
  }
}

astd::task<> sleep_often() {
  while (!over()) {
    auto const due = time_source::now() + 1ms;
    co_await astd::this_task::sleep_until(due);
    measured.add(due);
  }
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

astd::task<> serve(std::string port) {
  auto listener = co_await astd::net::tcp_listener::bind("127.0.0.1:" + port);
  for (;;) {
    auto accepted = co_await listener.accept();
    accepted.first.set_nodelay(true);
    astd::spawn(answer(std::move(accepted.first))).detach();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s timers|ready|outside COMPUTE_MS SECONDS, or echo COMPUTE_MS PORT\n", argv[0]);
    return 2;
  }
  std::string_view const what = argv[1];
  std::chrono::milliseconds const length(std::atoi(argv[2]));
  end = time_source::now() + (what == "echo" ? std::chrono::hours(1) : std::chrono::seconds(std::atoi(argv[3])));
  astd::runtime rt({.workers = 2, .driver = astd::runtime_options::from_environment().driver});
  if (length > 0ms || what == "ready") rt.spawn(compute(length, what == "ready" ? 8 : 0)).detach();
  if (what == "echo") rt.block_on(rt.spawn(serve(argv[3])));
  for (int i = 0; what == "timers" && i < 100; ++i) rt.spawn(sleep_often()).detach();
  for (; !over(); std::this_thread::sleep_for(1ms))
    if (what == "outside") rt.spawn(note(time_source::now())).detach();
  std::this_thread::sleep_for(500ms);  // for the last ones, however late
  measured.report(argv[1]);
  std::_Exit(0);
}
