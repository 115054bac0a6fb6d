// std's own primitives, on threads: what a program without tasks would use. Each "task" of waiting_bench.cpp is a thread
// here, whatever THREADS says.
//
//   threads_bench THREADS BENCH [ARGS]
#include <bench/report.hpp>

#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <future>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

template <class Work>
void measure(char const* name, std::uint64_t operations, Work work) {
  for (std::uint64_t turn = 0; turn < bench::repetitions; ++turn) {
    bench::stopwatch const watch;
    std::uint64_t times = 0;
    do {
      work();
      ++times;
    } while (!watch.ran_long_enough());
    watch.report(name, operations * times);
  }
}

template <class Body>
void together(int count, Body const& body) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body);
}

void lock(std::uint64_t count) {
  std::mutex m;
  std::uint64_t sum = 0;
  measure("lock", count, [&] {
    for (std::uint64_t i = 0; i < count; ++i) {
      std::lock_guard const guard(m);
      ++sum;
    }
  });
  bench::check(sum % count == 0, "lock");
}

void lock_by_four(char const* name, std::uint64_t count, bool yields) {
  std::mutex m;
  std::uint64_t sum = 0;
  measure(name, 4 * count, [&] {
    together(4, [&] {
      for (std::uint64_t i = 0; i < count; ++i) {
        std::lock_guard const guard(m);
        ++sum;
        if (yields) std::this_thread::yield();
      }
    });
  });
  bench::check(sum % (4 * count) == 0, name);
}

void read_and_write(std::uint64_t count) {
  std::shared_mutex m;
  std::uint64_t sum = 0;
  measure("rwlock", 4 * count, [&] {
    together(4, [&] {
      for (std::uint64_t i = 0; i < count; ++i) {
        if (i % 100 == 0) {
          std::lock_guard const guard(m);
          ++sum;
        } else {
          std::shared_lock const guard(m);
          bench::check(sum <= ~std::uint64_t{0} / 2, "rwlock");
        }
      }
    });
  });
}

void semaphore(std::uint64_t count) {
  std::counting_semaphore<> permits(4);
  measure("semaphore", 8 * count, [&] {
    together(8, [&] {
      for (std::uint64_t i = 0; i < count; ++i) {
        permits.acquire();
        std::this_thread::yield();
        permits.release();
      }
    });
  });
}

void request(std::uint64_t count) {
  struct asked {
    std::uint64_t value;
    std::promise<std::uint64_t> reply;
  };
  std::mutex m;
  std::condition_variable changed;
  std::deque<asked> queue;
  bool over = false;
  std::jthread const server([&] {
    std::unique_lock guard(m);
    for (;;) {
      changed.wait(guard, [&] { return over || !queue.empty(); });
      if (queue.empty()) return;
      asked one = std::move(queue.front());
      queue.pop_front();
      guard.unlock();
      one.reply.set_value(one.value + 1);
      guard.lock();
    }
  });
  measure("request", count, [&] {
    for (std::uint64_t i = 0; i < count; ++i) {
      std::promise<std::uint64_t> reply;
      auto answer = reply.get_future();
      {
        std::lock_guard const guard(m);
        queue.push_back({i, std::move(reply)});
      }
      changed.notify_one();
      bench::check(answer.get() == i + 1, "request");
    }
  });
  std::lock_guard const guard(m);
  over = true;
  changed.notify_one();
}

}  // namespace

int main(int argc, char** argv) {
  bench::arguments const arguments(argc, argv);
  std::string_view const name = arguments.name();
  if (name == "lock") {
    lock(arguments.number(0, 5'000'000));
  } else if (name == "lock_shared") {
    lock_by_four("lock_shared", arguments.number(0, 250'000), false);
  } else if (name == "lock_held") {
    lock_by_four("lock_held", arguments.number(0, 20'000), true);
  } else if (name == "rwlock") {
    read_and_write(arguments.number(0, 250'000));
  } else if (name == "semaphore") {
    semaphore(arguments.number(0, 20'000));
  } else if (name == "request") {
    request(arguments.number(0, 20'000));
  } else {
    std::fprintf(stderr, "no such benchmark: %s\n", arguments.name());
    return 2;
  }
}
