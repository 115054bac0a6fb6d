// A fixed set of small workloads whose instructions callgrind counts; `instructions` runs it and knows what to expect.
//
//   valgrind --tool=callgrind --collect-atstart=no instruction_bench
//
// Each is run once to warm up and once counted, and is dumped as `NAME OPERATIONS`. `alone/NAME` runs on the only worker
// there is, `shared/NAME` on one of two, whose queues are open to thieves; the other one is held in a task, so that
// nothing is ever stolen and the count is the same each time. The driver is epoll, which valgrind understands.
#include <astd/channel.hpp>
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/mutex.hpp>
#include <astd/net.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <bench/report.hpp>
#include <valgrind/callgrind.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <time.h>

// The library asks for the time and acts on it, which must not depend on the machine: each look at the clock is a
// microsecond. By thread, since the threads take turns as they like.
extern "C" int clock_gettime(clockid_t, timespec* result) noexcept {
  static thread_local std::int64_t now = 1'000'000'000'000;
  now += 1000;
  result->tv_sec = static_cast<time_t>(now / 1'000'000'000);
  result->tv_nsec = static_cast<long>(now % 1'000'000'000);
  return 0;
}

namespace {

using namespace std::chrono_literals;

astd::task<std::uint64_t> identity(std::uint64_t value) { co_return value; }

astd::task<> await_task(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    auto const value = co_await identity(i);
    bench::check(value == i, "await_task");
  }
}

astd::task<> await_ready(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    auto const value = co_await astd::ready(i);
    bench::check(value == i, "await_ready");
  }
}

astd::task<> spawn_join(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    auto const value = co_await astd::spawn(identity(i));
    bench::check(value == i, "spawn_join");
  }
}

astd::task<> spawn_many(std::uint64_t count) {
  std::vector<astd::join_handle<std::uint64_t>> handles;
  handles.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) handles.push_back(astd::spawn(identity(i)));
  for (auto& handle : handles) co_await std::move(handle);
}

astd::task<> group_spawn(std::uint64_t count) {
  auto const body = [count](astd::task_group& group) -> astd::task<> {
    for (std::uint64_t i = 0; i < count; ++i) group.spawn(await_task(1));
    co_return;
  };
  co_await astd::task_group::run(body);
}

astd::task<> yield_often(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) co_await astd::this_task::yield();
}

astd::task<> yield(std::uint64_t count) {
  std::vector<astd::join_handle<>> handles;
  for (int i = 0; i < 10; ++i) handles.push_back(astd::spawn(yield_often(count / 10)));
  for (auto& handle : handles) co_await std::move(handle);
}

astd::task<std::uint64_t> fib_of(std::uint64_t n) {
  if (n < 2) co_return n;
  auto handle = astd::spawn(fib_of(n - 1));
  auto const right = co_await fib_of(n - 2);
  auto const left = co_await std::move(handle);
  co_return left + right;
}

astd::task<> fib(std::uint64_t) {
  auto const value = co_await fib_of(16);
  bench::check(value == 987, "fib");
}

astd::task<> sleep_long() { co_await astd::this_task::sleep_for(1h); }

astd::task<> sleep_cancelled(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    auto handle = astd::spawn(sleep_long());
    co_await astd::this_task::yield();
    co_await handle.cancel();
  }
}

astd::task<> wait_for_ever() { co_await astd::pending(); }

astd::task<> task_cancelled(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    auto handle = astd::spawn(wait_for_ever());
    co_await astd::this_task::yield();
    co_await handle.cancel();
  }
}

astd::task<> exchange(astd::net::tcp_stream& stream, std::uint64_t count, bool first) {
  std::array<char, 64> buffer{};
  for (std::uint64_t i = 0; i < count; ++i) {
    if (first) co_await astd::io::write_all(stream, buffer);
    co_await astd::io::read_exact(stream, buffer);
    if (!first) co_await astd::io::write_all(stream, buffer);
  }
}

astd::task<> send_and_receive(std::uint64_t count) {
  auto listener = co_await astd::net::tcp_listener::bind("127.0.0.1:0");
  auto near = co_await astd::net::tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  auto other = astd::spawn(exchange(accepted.first, count, false));
  co_await exchange(near, count, true);
  co_await std::move(other);
}

astd::task<> lock(std::uint64_t count) {
  astd::mutex m;
  for (std::uint64_t i = 0; i < count; ++i) auto const guard = co_await m.lock();
}

astd::task<> lock_and_yield(astd::mutex& m, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    auto const guard = co_await m.lock();
    co_await astd::this_task::yield();
  }
}

astd::task<> lock_handed_over(std::uint64_t count) {
  astd::mutex m;
  auto other = astd::spawn(lock_and_yield(m, count / 2));
  co_await lock_and_yield(m, count / 2);
  co_await std::move(other);
}

astd::task<> channel_ready(std::uint64_t count) {
  auto [sending, receiving] = astd::channel<std::uint64_t>(64);
  for (std::uint64_t i = 0; i < count; ++i) {
    co_await sending.send(i);
    auto const message = co_await receiving.recv();
    bench::check(message == i, "channel_ready");
  }
}

astd::task<> pass_on(astd::receiver<std::uint64_t> from, astd::sender<std::uint64_t> to) {
  for (;;) {
    auto const message = co_await from.recv();
    if (!message) co_return;
    co_await to.send(*message);
  }
}

astd::task<> channel_to_and_fro(std::uint64_t count) {
  auto [there, arriving] = astd::channel<std::uint64_t>(1);
  auto [leaving, back] = astd::channel<std::uint64_t>(1);
  auto other = astd::spawn(pass_on(std::move(arriving), std::move(leaving)));
  for (std::uint64_t i = 0; i < count; ++i) {
    co_await there.send(i);
    auto const message = co_await back.recv();
    bench::check(message == i, "channel_to_and_fro");
  }
  there.close();
  co_await std::move(other);
}

struct row {
  const char* name;
  astd::task<> (*run)(std::uint64_t);
  std::uint64_t count;
  std::uint64_t operations;
};

constexpr row rows[] = {
    {"await_task", &await_task, 2000, 2000},
    {"await_ready", &await_ready, 5000, 5000},
    {"spawn_join", &spawn_join, 2000, 2000},
    {"spawn_many", &spawn_many, 10'000, 10'000},
    {"group_spawn", &group_spawn, 1000, 1000},
    {"yield", &yield, 10'000, 10'000},
    {"fib", &fib, 0, 3193},  // calls
    {"sleep_cancelled", &sleep_cancelled, 1000, 1000},
    {"task_cancelled", &task_cancelled, 1000, 1000},
    {"send_and_receive", &send_and_receive, 200, 400},
    {"lock", &lock, 5000, 5000},
    {"lock_handed_over", &lock_handed_over, 5000, 5000},
    {"channel_ready", &channel_ready, 5000, 5000},
    {"channel_to_and_fro", &channel_to_and_fro, 2000, 2000},
};

astd::task<> measure(const char* where) {
  for (row const& it : rows) {
    co_await it.run(it.count);
    CALLGRIND_ZERO_STATS;
    CALLGRIND_TOGGLE_COLLECT;
    co_await it.run(it.count);
    CALLGRIND_TOGGLE_COLLECT;
    std::string const what = std::string(where) + "/" + it.name + " " + std::to_string(it.operations);
    CALLGRIND_DUMP_STATS_AT(what.c_str());
  }
}

astd::task<> hold(std::atomic<int>& state) {
  state = 1;
  state.notify_one();
  state.wait(1);
  co_return;
}

}  // namespace

int main() {
  {
    astd::runtime alone({.workers = 0, .driver = astd::driver::choice::epoll});
    alone.block_on(measure("alone"));
  }
  astd::runtime shared({.workers = 2, .driver = astd::driver::choice::epoll});
  std::atomic<int> holding = 0;
  auto held = shared.spawn(hold(holding));
  holding.wait(0);
  shared.block_on(shared.spawn(measure("shared")));
  holding = 2;
  holding.notify_one();
  shared.block_on(held);
}
