// The benchmarks of astd that have a counterpart in peers/. `compare` runs them all; by hand:
//
//   astd_bench THREADS BENCH [ARGS]
//
//   spawn [N]               N tasks at once, then all joined
//   spawn_10k [N]           10,000 tasks at once, then all joined, N times
//   spawn_seq [N]           spawn one, join it, N times
//   yield [TASKS] [TIMES]   every task yields TIMES times
//   pingpong [N]            two tasks wake each other in turn, N times each
//   fib [N]                 fork-join: one half spawned, the other awaited
//   skynet                  a tree of 10^6 leaves, ten children each
//   queens                  n-queens, a task for each placed queen
//   lock [N]                a mutex that nobody else wants, N times
//   lock_shared [N]         4 tasks lock one mutex, N times each
//   lock_held [N]           the same, and each yields while it has it
//   channel [N]             two tasks pass a message to and fro over two channels of one place, N times
//   mpsc [TASKS] [N]        tasks send N messages each to one, over 1024 places
//   mpsc_unbounded [TASKS] [N]
//   mpmc [TASKS] [N]        tasks send N messages each to as many, over 1024 places
//   rwlock [N]              4 tasks, of whose N uses of a readers-writer lock one in a hundred writes
//   semaphore [N]           8 tasks take one of 4 permits N times, and yield with it
//   broadcast [N]           100 messages, each to N receivers
//   request [N]             one task asks another and waits for the reply, N times
//   timers [N]              N tasks that sleep long, then cancelled and joined
//   sleeps [N]              N tasks that sleep 1 to 1000 ms
//   blocking [N]            a call on the blocking pool, one at a time, N times
//   mem [N]                 memory of N tasks that sleep
//   echo PORT               TCP echo server on the loopback, until it is killed; with ASTD_BENCH_LEAN set, one whose
//                           connections hold a buffer only while they have something in it
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <bench/channel_bench.hpp>
#include <bench/measure.hpp>
#include <bench/report.hpp>
#include <bench/waiting_bench.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <stdlib.h>

namespace {

using namespace std::chrono_literals;
using bench::measure;
using bench::stopwatch;

astd::task<std::uint64_t> identity(std::uint64_t value) { co_return value; }

astd::task<> spawn(const char* name, std::uint64_t count, std::uint64_t times) {
  auto work = [=]() -> astd::task<> {
    for (std::uint64_t time = 0; time < times; ++time) {
      std::vector<astd::join_handle<std::uint64_t>> handles;
      handles.reserve(count);
      for (std::uint64_t i = 0; i < count; ++i) handles.push_back(astd::spawn(identity(i)));
      std::uint64_t sum = 0;
      for (auto& handle : handles) {
        auto const value = co_await std::move(handle);
        sum += value;
      }
      bench::check(sum == count * (count - 1) / 2, name);
    }
  };
  co_await measure(name, count * times, work);
}

astd::task<> spawn_one_by_one(std::uint64_t count) {
  auto work = [=]() -> astd::task<> {
    for (std::uint64_t i = 0; i < count; ++i) {
      auto const value = co_await astd::spawn(identity(i));
      bench::check(value == i, "spawn_seq");
    }
  };
  co_await measure("spawn_seq", count, work);
}

astd::task<> yield_often(std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) co_await astd::this_task::yield();
}

astd::task<> yield(std::uint64_t tasks, std::uint64_t times) {
  auto work = [=]() -> astd::task<> {
    std::vector<astd::join_handle<>> handles;
    handles.reserve(tasks);
    for (std::uint64_t i = 0; i < tasks; ++i) handles.push_back(astd::spawn(yield_often(times)));
    for (auto& handle : handles) co_await std::move(handle);
  };
  co_await measure("yield", tasks * times, work);
}

/// A flag that one task waits for and another sets, until there are channels: the least that wakes a task.
class flag {
  class waiting;

 public:
  void set() noexcept {
    // acq_rel: pairs with the waiter's exchanges, in both directions.
    void* const before = state_.exchange(this, std::memory_order_acq_rel);
    if (before == nullptr || before == this) return;
    state_.store(nullptr, std::memory_order_relaxed);  // there is nobody else until the waiter runs
    static_cast<waiting*>(before)->flag_is_set();
  }

  auto wait() noexcept { return awaitable(*this); }

 private:
  class waiting final : public astd::detail::suspension, public astd::detail::awaiter_base<waiting> {
   public:
    using value_type = void;
    explicit waiting(flag& of) noexcept : of_(of) {}

    bool await_ready() noexcept {
      void* set = &of_;
      return of_.state_.compare_exchange_strong(set, nullptr, std::memory_order_acquire, std::memory_order_relaxed);
    }
    astd::detail::resumable* start(const astd::detail::await_context& context) noexcept {
      attach(context);
      if (!publish()) return stop();
      void* nobody = nullptr;
      if (of_.state_.compare_exchange_strong(nobody, this, std::memory_order_acq_rel, std::memory_order_acquire))
        return nullptr;
      of_.state_.store(nullptr, std::memory_order_relaxed);  // set meanwhile
      return finish(false);
    }
    void flag_is_set() noexcept { complete(false); }
    astd::detail::outcome<void> take() noexcept {
      resumed();
      astd::detail::outcome<void> nothing;
      nothing.set_value();
      return nothing;
    }
    void request_stop() noexcept override {
      void* self = this;
      if (of_.state_.compare_exchange_strong(self, nullptr, std::memory_order_acq_rel, std::memory_order_relaxed))
        complete(true);
      stop_request_done();
    }
    void describe(std::string& out, unsigned) const override { out += "a flag"; }

   private:
    flag& of_;
  };

  class awaitable {
   public:
    explicit awaitable(flag& of) noexcept : of_(of) {}
    auto operator co_await() const noexcept { return waiting(of_); }

   private:
    flag& of_;
  };

  std::atomic<void*> state_{nullptr};  // null, this flag if it is set, or who waits
};

astd::task<> take_turns(flag& mine, flag& others, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    co_await mine.wait();
    others.set();
  }
}

astd::task<> ping_pong(std::uint64_t count) {
  auto work = [=]() -> astd::task<> {
    flag first;
    flag second;
    auto one = astd::spawn(take_turns(first, second, count));
    auto other = astd::spawn(take_turns(second, first, count));
    first.set();
    co_await std::move(one);
    co_await std::move(other);
  };
  co_await measure("pingpong", count, work);
}

astd::task<std::uint64_t> fib_of(std::uint64_t n) {
  if (n < 2) co_return n;
  auto handle = astd::spawn(fib_of(n - 1));
  auto const right = co_await fib_of(n - 2);
  auto const left = co_await std::move(handle);
  co_return left + right;
}

std::uint64_t plain_fib(std::uint64_t n) { return n < 2 ? n : plain_fib(n - 1) + plain_fib(n - 2); }

astd::task<> fib(std::uint64_t n) {
  std::uint64_t const expected = plain_fib(n);
  auto work = [=]() -> astd::task<> {
    auto const value = co_await fib_of(n);
    bench::check(value == expected, "fib");
  };
  co_await measure("fib", bench::fib_calls(n), work);
}

/// Sums the numbers of its leaves: `size` of them, counted from `first`.
astd::task<std::uint64_t> skynet_of(std::uint64_t first, std::uint64_t size) {
  if (size == 1) co_return first;
  std::array<astd::join_handle<std::uint64_t>, 10> children;
  std::uint64_t const part = size / children.size();
  for (std::size_t i = 0; i < children.size(); ++i) children[i] = astd::spawn(skynet_of(first + i * part, part));
  std::uint64_t sum = 0;
  for (auto& child : children) {
    auto const value = co_await std::move(child);
    sum += value;
  }
  co_return sum;
}

astd::task<> skynet() {
  auto work = []() -> astd::task<> {
    auto const sum = co_await skynet_of(0, 1'000'000);
    bench::check(sum == 499'999'500'000, "skynet");
  };
  co_await measure("skynet", 1'111'111, work);
}

astd::task<std::uint64_t> queens_of(bench::queens_board board, std::uint32_t size) {
  std::uint32_t const full = (1u << size) - 1;
  if (board.columns == full) co_return 1;
  std::array<astd::join_handle<std::uint64_t>, bench::queens_size> children;
  std::size_t count = 0;
  for (std::uint32_t free = board.free(full); free != 0; free &= free - 1)
    children[count++] = astd::spawn(queens_of(board.with(free & -free), size));
  std::uint64_t solutions = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto const value = co_await std::move(children[i]);
    solutions += value;
  }
  co_return solutions;
}

astd::task<> queens() {
  auto work = []() -> astd::task<> {
    auto const solutions = co_await queens_of({}, bench::queens_size);
    bench::check(solutions == bench::queens_solutions, "queens");
  };
  co_await measure("queens", bench::queens_tasks, work);
}

// `lock`, an uncontended lock taken and given back, has its place here: it comes with astd::mutex.

astd::task<> sleep_ms(std::uint64_t milliseconds) {
  co_await astd::this_task::sleep_for(std::chrono::milliseconds(milliseconds));
}

/// A timer lives in the frame that awaits it, so here, unlike in the peers, each timer brings its task.
astd::task<> timers(std::uint64_t count) {
  auto work = [=]() -> astd::task<> {
    std::vector<astd::join_handle<>> handles;
    handles.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) handles.push_back(astd::spawn(sleep_ms(10'000 + i % 50'000)));
    co_await astd::this_task::yield();
    for (auto& handle : handles) handle.request_cancel();
    for (auto& handle : handles) co_await handle.cancel();
  };
  co_await measure("timers", count, work);
}

astd::task<> sleeps(std::uint64_t count) {
  bench::delays delays;
  stopwatch const watch;
  std::vector<astd::join_handle<>> handles;
  handles.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) handles.push_back(astd::spawn(sleep_ms(delays.next_ms())));
  for (auto& handle : handles) co_await std::move(handle);
  watch.report("sleeps", count);
}

astd::task<> blocking(std::uint64_t count) {
  auto work = [=]() -> astd::task<> {
    for (std::uint64_t i = 0; i < count; ++i) {
      auto const value = co_await astd::spawn_blocking([](std::uint64_t number) { return number; }, i);
      bench::check(value == i, "blocking");
    }
  };
  co_await measure("blocking", count, work);
}

std::atomic<std::uint64_t> started{0};

astd::task<> start_and_sleep() {
  started.fetch_add(1, std::memory_order_relaxed);  // read by `memory`, which needs the number alone
  co_await astd::this_task::sleep_for(1h);
}

astd::task<> memory(std::uint64_t count) {
  double const before = bench::resident_bytes();
  for (std::uint64_t i = 0; i < count; ++i) {
    astd::spawn(start_and_sleep()).detach();
    if (i % 1000 == 0) co_await astd::this_task::yield();
  }
  while (started.load(std::memory_order_relaxed) < count) co_await astd::this_task::sleep_for(10ms);
  bench::report_memory("mem", bench::resident_bytes() - before, count);
  _exit(0);  // a million cancellations are not what is measured
}

astd::task<> answer(astd::net::tcp_stream stream) {
  std::vector<char> buffer(16 * 1024);
  for (;;) {
    auto const count = co_await astd::as_result(stream.read(buffer));
    if (!count || *count == 0) co_return;
    auto const written = co_await astd::as_result(astd::io::write_all(stream, std::span(buffer).first(*count)));
    if (!written) co_return;
  }
}

/// As `answer`, but the buffer is there only while there is something to put into it.
astd::task<> answer_lean(astd::net::tcp_stream stream) {
  for (;;) {
    auto const readable = co_await astd::as_result(stream.readable());
    if (!readable) co_return;
    auto const buffer = std::make_unique_for_overwrite<std::array<char, 16 * 1024>>();
    auto const count = co_await astd::as_result(stream.read(*buffer));
    if (!count || *count == 0) co_return;
    auto const written = co_await astd::as_result(astd::io::write_all(stream, std::span(*buffer).first(*count)));
    if (!written) co_return;
  }
}

astd::task<> echo(std::uint64_t port) {
  bool const lean = getenv("ASTD_BENCH_LEAN") != nullptr;
  auto listener = co_await astd::net::tcp_listener::bind("127.0.0.1:" + std::to_string(port));
  for (;;) {
    auto accepted = co_await listener.accept();
    accepted.first.set_nodelay(true);
    if (lean)
      astd::spawn(answer_lean(std::move(accepted.first))).detach();
    else
      astd::spawn(answer(std::move(accepted.first))).detach();
  }
}

astd::task<int> run(bench::arguments arguments) {
  std::string_view const name = arguments.name();
  if (name == "spawn") {
    co_await spawn("spawn", arguments.number(0, 1'000'000), 1);
  } else if (name == "spawn_10k") {
    co_await spawn("spawn_10k", 10'000, arguments.number(0, 100));
  } else if (name == "spawn_seq") {
    co_await spawn_one_by_one(arguments.number(0, 1'000'000));
  } else if (name == "yield") {
    co_await yield(arguments.number(0, 1000), arguments.number(1, 1000));
  } else if (name == "pingpong") {
    co_await ping_pong(arguments.number(0, 1'000'000));
  } else if (name == "fib") {
    co_await fib(arguments.number(0, 27));
  } else if (name == "skynet") {
    co_await skynet();
  } else if (name == "queens") {
    co_await queens();
  } else if (name == "timers") {
    co_await timers(arguments.number(0, 500'000));
  } else if (name == "sleeps") {
    co_await sleeps(arguments.number(0, 100'000));
  } else if (name == "blocking") {
    co_await blocking(arguments.number(0, 20'000));
  } else if (name == "mem") {
    co_await memory(arguments.number(0, 200'000));
  } else if (name == "echo") {
    co_await echo(arguments.number(0, 20'000));
  } else {
    bool known = co_await bench::waiting(arguments);
    if (!known) known = co_await bench::channels(arguments);
    if (!known) {
      std::fprintf(stderr, "no such benchmark: %s\n", arguments.name());
      co_return 2;
    }
  }
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  bench::arguments const arguments(argc, argv);
  setenv("ASTD_THREAD_COUNT", arguments.threads(), 1);
  // Spawned, so that the work runs on the workers and not on this thread.
  return astd::block_on(astd::spawn(run(arguments)));
}
