// Everything at once, at random, for a given time: trees of tasks that spawn, group, race, join, time out, shield, clean up,
// talk over loopback, sleep and block, cancelled at any moment by threads of their own, on runtimes that come and go.
// Everything has to end; nothing may be left: no value, no frame, no descriptor; every cleanup has to have run once; what
// comes back through a socket is what was sent. If nothing moves for half a minute, it prints what every task waits for,
// and fails.
//
//   astd_stress [SECONDS]      60; ASTD_TEST_SEED plays it again; ASTD_DRIVER chooses the driver
#include <astd/astd.hpp>
#include <astd/base/frame_pool.hpp>
#include <astd/base/test_seed.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using randomness = std::mt19937;
using steady = std::chrono::steady_clock;

[[noreturn]] void give_up(const std::string& why);

void check(bool good, const char* what) {
  if (!good) give_up(what);
}

// What has been made and is to be gone at the end: locals, parameters, arguments, results.
class value {
 public:
  explicit value(int n = 0) : n_(n), memory_(64, static_cast<char>('a' + n % 26)) { ++live_; }
  value(const value& other) : n_(other.n_), memory_(other.memory_) { ++live_; }
  value(value&& other) noexcept : n_(other.n_), memory_(std::move(other.memory_)) { ++live_; }
  value& operator=(const value&) = default;
  value& operator=(value&&) = default;
  ~value() { --live_; }
  [[nodiscard]] int number() const { return n_; }
  static long live() { return live_; }

 private:
  static inline std::atomic<long> live_{0};
  int n_;
  std::string memory_;
};

std::atomic<long> moves{0};  // what the watchdog looks at: pieces that have ended
std::atomic<long> trees{0};
std::atomic<long> cleanups{0};
std::atomic<long> echoes{0};

// In a frame, in front of a finally: dies when the await is over.
class clean_up_once {
 public:
  clean_up_once() = default;
  clean_up_once(const clean_up_once&) = delete;
  ~clean_up_once() { check(runs_ == awaited_, "a cleanup has not run exactly once"); }
  void awaited() { awaited_ = 1; }
  void ran() { ++runs_, ++cleanups; }

 private:
  int awaited_ = 0;
  std::atomic<int> runs_{0};
};

class counts_its_end {
 public:
  counts_its_end() = default;
  counts_its_end(const counts_its_end&) = delete;
  ~counts_its_end() { ++moves; }
};

task_local<int> level(inherited);

std::mutex server_lock;
std::string server_address;

std::string address_of_server() {
  std::lock_guard guard(server_lock);
  return server_address;
}

task<> echo(net::tcp_stream stream) {
  const value local;
  std::byte buffer[512];
  for (;;) {
    const auto n = co_await as_result(stream.read(buffer));
    if (!n || *n == 0) co_return;
    const auto written = co_await as_result(io::write_all(stream, io::const_bytes(buffer, *n)));
    if (!written) co_return;
  }
}

task<> serve(net::tcp_listener& listener) {
  for (;;) {
    auto connection = co_await as_result(listener.accept());
    if (connection) spawn(echo(std::move(connection->first))).detach();
  }
}

task<int> talk(unsigned s) {
  const value local;
  randomness random(s);
  auto stream = co_await as_result(net::tcp_stream::connect(address_of_server()));
  if (!stream) co_return 0;
  std::byte sent[300], received[300];
  for (int turns = static_cast<int>(random() % 3) + 1; turns != 0; --turns) {
    for (std::byte& b : sent) b = static_cast<std::byte>(random());
    const auto out = co_await as_result(io::write_all(*stream, io::const_bytes(sent)));
    if (!out) co_return 0;
    const auto in = co_await as_result(io::read_exact(*stream, io::mutable_bytes(received)));
    if (!in) co_return 0;
    check(std::equal(std::begin(sent), std::end(sent), std::begin(received)), "an echo is not what was sent");
    ++echoes;
  }
  co_return 1;
}

task<int> leaf(unsigned s) {
  const value local;
  const counts_its_end at_end;
  randomness random(s);
  switch (random() % 8) {
    case 0: co_await this_task::yield(); break;
    case 1: co_await this_task::sleep_for(std::chrono::microseconds(random() % 300)); break;
    case 2: co_await this_task::sleep_for(1h); break;
    case 3: {
      auto h = spawn_blocking([v = value(1)] { return value(v.number() + 1); });
      const auto v = co_await h;
      check(v.number() == 2, "a blocking call gave another value");
      break;
    }
    case 4:
    case 5: {
      auto n = co_await talk(static_cast<unsigned>(random()));
      co_return n;
    }
    case 6: throw value(3);
    default: co_await pending();
  }
  co_return 1;
}

// A random piece of a program: it does one of many things to smaller pieces of the same kind.
task<int> piece(unsigned s, int depth) {
  const value local;
  const counts_its_end at_end;
  if (depth <= 0) {
    auto n = co_await leaf(s);
    co_return n;
  }
  randomness random(s);
  const auto next = [&random, depth] { return piece(static_cast<unsigned>(random()), depth - 1); };
  const auto micros = [&random](unsigned most) { return std::chrono::microseconds(random() % most); };
  const auto ended = [](const auto& r) { return r ? 1 : 0; };
  try {
    switch (random() % 13) {
      case 0: {
        auto h = spawn(next());
        auto n = co_await h;
        co_return n;
      }
      case 1: {
        auto h = spawn(next());
        co_await this_task::sleep_for(micros(100));
        const auto n = co_await h.cancel();
        check(h.is_finished(), "cancel() has come back before the end");
        co_return n.value_or(0);
      }
      case 2: {
        auto both = co_await join(next(), next());
        co_return std::get<0>(both);
      }
      case 3: {
        auto n = co_await race(next(), next(), next());
        co_return n;
      }
      case 4: {
        const auto n = co_await as_result(timeout(micros(500), next()));
        co_return n.value_or(0);
      }
      case 5: {
        auto some = co_await select(next(), this_task::sleep_for(micros(300)));
        co_return std::get<0>(some).value_or(0);
      }
      case 6: {
        auto body = [&](task_group& g) -> task<int> {
          for (int i = 0; i < 3; ++i) g.spawn(next());
          const auto first = co_await g.next<int>();
          g.request_cancel();
          co_return first.value_or(0);
        };
        auto n = co_await task_group::run(body);
        co_return n;
      }
      case 7: {
        clean_up_once once;
        auto cleanup = [&once]() -> task<> {
          const value in_cleanup;
          co_await this_task::yield();
          once.ran();
        };
        once.awaited();
        auto n = co_await finally(next(), cleanup);
        co_return n;
      }
      case 8: {
        co_await shield(this_task::sleep_for(micros(100)));
        const int mine = static_cast<int>(random() % 1000);
        auto looks = [](task<int> t, int expected) -> task<int> {
          check(level.get() == expected, "a task local has another value");
          auto h = spawn(
              [](int inherited_value) -> task<> {
                check(level.get() == inherited_value, "a spawned task has not inherited a task local");
                co_return;
              },
              expected);
          co_await h;
          auto n = co_await std::move(t);
          co_return n;
        };
        auto n = co_await level.with(mine, looks(next(), mine));
        co_return n;
      }
      case 9: {
        auto h = spawn(next());
        h.request_cancel();
        const auto n = co_await as_result(h);
        co_return n.value_or(0);
      }
      case 10: {
        auto both = co_await as_result(try_join(next(), next()));
        co_return ended(both);
      }
      case 11: {
        spawn(next()).detach();
        co_return 1;
      }
      default: {
        auto h = spawn_local(next());
        auto joins = [](join_handle<int>& handle) -> task<int> {
          auto n = co_await handle;
          co_return n;
        };
        const auto r = co_await as_result(timeout(micros(200), joins(h)));
        h.request_cancel();
        co_return r.value_or(0);
      }
    }
  } catch (const value& v) {
    check(v.number() == 3, "an exception has another value");
    co_return -1;
  } catch (const task_cancelled&) {
    co_return -2;
  }
}

runtime* running = nullptr;  // guarded by the lock
std::mutex running_lock;

[[noreturn]] void give_up(const std::string& why) {
  std::printf("astd_stress: %s (ASTD_TEST_SEED=%u)\n", why.c_str(), test::seed());
  std::fflush(stdout);
  std::_Exit(1);
}

// Prints where everybody stands if nothing moves.
void watch(const std::atomic<bool>& over) {
  long seen = -1;
  auto since = steady::now();
  while (!over) {
    std::this_thread::sleep_for(100ms);
    if (const long now = moves + trees; now != seen) {
      seen = now;
      since = steady::now();
    } else if (steady::now() - since > 30s) {
      if (std::unique_lock guard(running_lock, std::try_to_lock); guard && running)
        std::printf("%s\n", running->dump_tasks().c_str());
      give_up("nothing moves");
    }
  }
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// One runtime from its beginning to its end.
void round(randomness& random, steady::duration how_long) {
  runtime rt({.workers = static_cast<unsigned>(random() % 4) + 1, .name = "stress", .stealing = random() % 4 != 0});
  {
    std::lock_guard guard(running_lock);
    running = &rt;
  }
  {
    auto listener = rt.block_on(net::tcp_listener::bind("127.0.0.1:0"));
    {
      std::lock_guard guard(server_lock);
      server_address = "127.0.0.1:" + std::to_string(listener.local_address().port());
    }
    auto server = rt.spawn(serve(listener));
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&rt, how_long, own = randomness(static_cast<unsigned>(random()))]() mutable {
        for (const auto end = steady::now() + how_long; steady::now() < end;) {
          std::vector<join_handle<int>> handles;
          for (int i = 0; i < 6; ++i) handles.push_back(rt.spawn(piece(static_cast<unsigned>(own()), 4)));
          if (own() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(own() % 2000));
          for (auto& h : handles)
            if (own() % 2) h.request_cancel();
          for (auto& h : handles) {
            switch (own() % 4) {
              case 0: h.detach(); break;  // the end of the runtime is its end at the latest
              default: try { static_cast<void>(rt.block_on(h.cancel()));
                } catch (const value&) {
                }
            }
            ++trees;
          }
        }
      });
    for (std::thread& t : threads) t.join();
    static_cast<void>(rt.block_on(server.cancel()));
  }
  const auto report = rt.shutdown(30s);
  if (!report.complete) {
    std::printf("%s\n", report.text.c_str());
    give_up("a runtime does not end");
  }
  std::lock_guard guard(running_lock);
  running = nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const auto how_long = std::chrono::seconds(argc > 1 ? std::atoi(argv[1]) : 60);
  set_lost_exception_handler([](std::exception_ptr, std::string_view) noexcept {});
  randomness random(test::seed());
  std::atomic<bool> over = false;
  std::thread watchdog([&over] { watch(over); });
  // What is there for good, the pool's threads and the like, is there after the first round.
  round(random, 100ms);
  const std::size_t descriptors = open_descriptors();
  const std::size_t frames = detail::frame_pool_usage().in_use;
  check(value::live() == 0, "values are left");
  long rounds = 1;
  for (const auto end = steady::now() + how_long; steady::now() < end; ++rounds) {
    round(random, std::chrono::milliseconds(random() % 1000));
    check(value::live() == 0, "values are left");
    check(open_descriptors() == descriptors, "descriptors are left");
    check(detail::frame_pool_usage().in_use == frames, "frames are left");
  }
  over = true;
  watchdog.join();
  std::printf("%ld runtimes, %ld trees, %ld pieces, %ld cleanups, %ld echoes: well\n", rounds, trees.load(),
              moves.load(), cleanups.load(), echoes.load());
}
