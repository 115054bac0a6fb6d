// The benchmarks of astd_bench on standalone Asio (1.22 or newer), C++20 coroutines: asio_bench THREADS BENCH [ARGS]
#include <asio.hpp>
#include <bench/report.hpp>

#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;
using bench::stopwatch;

asio::io_context* context = nullptr;

/// What Asio lacks: wait until `count` others have called done(). Once only, by one waiter.
class countdown {
 public:
  explicit countdown(std::uint64_t count) : left_(count + 1) {}

  /// The last one, be it a task or the waiter itself, posts the waiter. This object may be gone then.
  void done() {
    // Releases the caller's results to whoever comes last, and acquires theirs.
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    auto waiter = std::move(*waiter_);
    asio::post(std::move(waiter));
  }

  auto wait() {
    return asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
        [this](auto handler) {
          waiter_.emplace(std::move(handler));
          done();
        },
        use_awaitable);
  }

 private:
  std::atomic<std::uint64_t> left_;
  std::optional<asio::async_result<asio::use_awaitable_t<>, void()>::handler_type> waiter_;
};

void rethrow(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
}

/// co_spawn whose end counts down.
void fork(countdown& ended, awaitable<void> task) {
  asio::co_spawn(*context, std::move(task), [&ended](std::exception_ptr error) {
    rethrow(error);
    ended.done();
  });
}

void fork(countdown& ended, awaitable<std::uint64_t> task, std::uint64_t& result) {
  asio::co_spawn(*context, std::move(task), [&ended, &result](std::exception_ptr error, std::uint64_t value) {
    rethrow(error);
    result = value;
    ended.done();
  });
}

/// Does `work` as often as a repetition lasts; `operations` is what one time of it does.
template <class Work>
awaitable<void> measure(const char* name, std::uint64_t operations, Work& work) {
  for (std::uint64_t turn = 0; turn < bench::repetitions; ++turn) {
    stopwatch const watch;
    std::uint64_t times = 0;
    do {
      co_await work();
      ++times;
    } while (!watch.ran_long_enough());
    watch.report(name, operations * times);
  }
}

awaitable<std::uint64_t> identity(std::uint64_t value) { co_return value; }

awaitable<void> spawn(const char* name, std::uint64_t count, std::uint64_t times) {
  auto work = [=]() -> awaitable<void> {
    for (std::uint64_t time = 0; time < times; ++time) {
      std::vector<std::uint64_t> results(count);
      countdown ended(count);
      for (std::uint64_t i = 0; i < count; ++i) fork(ended, identity(i), results[i]);
      co_await ended.wait();
      std::uint64_t sum = 0;
      for (std::uint64_t const value : results) sum += value;
      bench::check(sum == count * (count - 1) / 2, name);
    }
  };
  co_await measure(name, count * times, work);
}

awaitable<void> spawn_one_by_one(std::uint64_t count) {
  auto work = [=]() -> awaitable<void> {
    for (std::uint64_t i = 0; i < count; ++i) {
      auto const value = co_await asio::co_spawn(*context, identity(i), use_awaitable);
      bench::check(value == i, "spawn_seq");
    }
  };
  co_await measure("spawn_seq", count, work);
}

awaitable<void> yield_often(std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) co_await asio::post(*context, use_awaitable);
}

awaitable<void> yield(std::uint64_t tasks, std::uint64_t times) {
  auto work = [=]() -> awaitable<void> {
    countdown ended(tasks);
    for (std::uint64_t i = 0; i < tasks; ++i) fork(ended, yield_often(times));
    co_await ended.wait();
  };
  co_await measure("yield", tasks * times, work);
}

/// A flag that one task waits for and another sets: a countdown that can be used again.
class flag {
 public:
  void set() {
    if (last_.exchange(true, std::memory_order_acq_rel)) post_waiter();
  }

  auto wait() {
    return asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
        [this](auto handler) {
          waiter_.emplace(std::move(handler));
          set();
        },
        use_awaitable);
  }

 private:
  // Whoever comes second, setter or waiter; then it starts anew.
  void post_waiter() {
    auto waiter = std::move(*waiter_);
    last_.store(false, std::memory_order_relaxed);
    asio::post(std::move(waiter));
  }

  std::atomic<bool> last_{false};
  std::optional<asio::async_result<asio::use_awaitable_t<>, void()>::handler_type> waiter_;
};

awaitable<void> take_turns(flag& mine, flag& others, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    co_await mine.wait();
    others.set();
  }
}

awaitable<void> ping_pong(std::uint64_t count) {
  auto work = [=]() -> awaitable<void> {
    flag first;
    flag second;
    countdown ended(2);
    fork(ended, take_turns(first, second, count));
    fork(ended, take_turns(second, first, count));
    first.set();
    co_await ended.wait();
  };
  co_await measure("pingpong", count, work);
}

awaitable<std::uint64_t> fib_of(std::uint64_t n) {
  if (n < 2) co_return n;
  std::uint64_t left = 0;
  countdown ended(1);
  fork(ended, fib_of(n - 1), left);
  auto const right = co_await fib_of(n - 2);
  co_await ended.wait();
  co_return left + right;
}

std::uint64_t plain_fib(std::uint64_t n) { return n < 2 ? n : plain_fib(n - 1) + plain_fib(n - 2); }

awaitable<void> fib(std::uint64_t n) {
  std::uint64_t const expected = plain_fib(n);
  auto work = [=]() -> awaitable<void> {
    auto const value = co_await fib_of(n);
    bench::check(value == expected, "fib");
  };
  co_await measure("fib", bench::fib_calls(n), work);
}

/// Sums the numbers of its leaves: `size` of them, counted from `first`.
awaitable<std::uint64_t> skynet_of(std::uint64_t first, std::uint64_t size) {
  if (size == 1) co_return first;
  std::uint64_t results[10];
  std::uint64_t const part = size / 10;
  countdown ended(10);
  for (std::uint64_t i = 0; i < 10; ++i) fork(ended, skynet_of(first + i * part, part), results[i]);
  co_await ended.wait();
  std::uint64_t sum = 0;
  for (std::uint64_t const value : results) sum += value;
  co_return sum;
}

awaitable<void> skynet() {
  auto work = []() -> awaitable<void> {
    auto const sum = co_await skynet_of(0, 1'000'000);
    bench::check(sum == 499'999'500'000, "skynet");
  };
  co_await measure("skynet", 1'111'111, work);
}

awaitable<std::uint64_t> queens_of(bench::queens_board board, std::uint32_t size) {
  std::uint32_t const full = (1u << size) - 1;
  if (board.columns == full) co_return 1;
  std::uint64_t results[bench::queens_size];
  std::uint32_t const free = board.free(full);
  auto const count = static_cast<std::size_t>(std::popcount(free));
  countdown ended(count);
  std::size_t child = 0;
  for (std::uint32_t left = free; left != 0; left &= left - 1)
    fork(ended, queens_of(board.with(left & -left), size), results[child++]);
  co_await ended.wait();
  std::uint64_t solutions = 0;
  for (std::size_t i = 0; i < count; ++i) solutions += results[i];
  co_return solutions;
}

awaitable<void> queens() {
  auto work = []() -> awaitable<void> {
    auto const solutions = co_await queens_of({}, bench::queens_size);
    bench::check(solutions == bench::queens_solutions, "queens");
  };
  co_await measure("queens", bench::queens_tasks, work);
}

awaitable<void> timers(std::uint64_t count) {
  auto work = [=]() -> awaitable<void> {
    std::vector<asio::steady_timer> live;
    live.reserve(count);
    countdown ended(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      live.emplace_back(*context, std::chrono::milliseconds(10'000 + i % 50'000));
      live.back().async_wait([&ended](asio::error_code) { ended.done(); });
    }
    for (auto& timer : live) timer.cancel();
    co_await ended.wait();
  };
  co_await measure("timers", count, work);
}

/// To a thread of the pool and back.
awaitable<void> blocking(std::uint64_t count) {
  asio::thread_pool pool;
  auto work = [=, &pool]() -> awaitable<void> {
    for (std::uint64_t i = 0; i < count; ++i) {
      co_await asio::post(pool, use_awaitable);
      co_await asio::post(*context, use_awaitable);
    }
  };
  co_await measure("blocking", count, work);
}

awaitable<void> sleep_for(std::chrono::steady_clock::duration delay) {
  asio::steady_timer timer(*context, delay);
  co_await timer.async_wait(use_awaitable);
}

awaitable<void> sleeps(std::uint64_t count) {
  bench::delays delays;
  stopwatch const watch;
  countdown ended(count);
  for (std::uint64_t i = 0; i < count; ++i) fork(ended, sleep_for(std::chrono::milliseconds(delays.next_ms())));
  co_await ended.wait();
  watch.report("sleeps", count);
}

std::atomic<std::uint64_t> started{0};

awaitable<void> start_and_sleep() {
  started.fetch_add(1, std::memory_order_relaxed);  // read by `memory`, which needs the number alone
  co_await sleep_for(1h);
}

awaitable<void> memory(std::uint64_t count) {
  double const before = bench::resident_bytes();
  for (std::uint64_t i = 0; i < count; ++i) {
    asio::co_spawn(*context, start_and_sleep(), asio::detached);
    if (i % 1000 == 0) co_await asio::post(*context, use_awaitable);
  }
  while (started.load(std::memory_order_relaxed) < count) co_await sleep_for(10ms);
  bench::report_memory("mem", bench::resident_bytes() - before, count);
  _exit(0);  // a million cancellations are not what is measured
}

awaitable<void> answer(tcp::socket socket) {
  std::vector<char> buffer(16 * 1024);
  for (;;) {
    asio::error_code error;
    auto const count =
        co_await socket.async_read_some(asio::buffer(buffer), asio::redirect_error(use_awaitable, error));
    if (error) co_return;
    co_await asio::async_write(socket, asio::buffer(buffer.data(), count),
                               asio::redirect_error(use_awaitable, error));
    if (error) co_return;
  }
}

awaitable<void> echo(std::uint64_t port) {
  tcp::acceptor acceptor(*context, {asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
  acceptor.listen(4096);
  for (;;) {
    auto socket = co_await acceptor.async_accept(use_awaitable);
    socket.set_option(tcp::no_delay(true));
    asio::co_spawn(*context, answer(std::move(socket)), asio::detached);
  }
}

awaitable<void> run(bench::arguments arguments) {
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
    std::fprintf(stderr, "no such benchmark: %s\n", arguments.name());
    std::exit(2);
  }
}

}  // namespace

int main(int argc, char** argv) {
  bench::arguments const arguments(argc, argv);
  int const threads = std::atoi(arguments.threads());
  asio::io_context io(threads);
  context = &io;
  asio::co_spawn(io, run(arguments), [&io](std::exception_ptr error) {
    rethrow(error);
    io.stop();
  });
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back([&io] { io.run(); });
  io.run();
  for (auto& thread : others) thread.join();
}
