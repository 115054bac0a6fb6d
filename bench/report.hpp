// What the C++ benchmark programs share: their arguments and the lines they print.
//
//   RES name wall_ns_per_op cpu_ns_per_op ops
//   MEM name bytes_per_item items
//
// CPU is that of the whole process, so with two threads it may be up to twice the wall time. Two settings come from the
// environment: BENCH_REPETITIONS, how many lines there are, and BENCH_MS, how long each repetition lasts at least.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <sys/resource.h>
#include <unistd.h>

namespace bench {

inline std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* const value = std::getenv(name);
  return value != nullptr ? std::strtoull(value, nullptr, 10) : otherwise;
}

/// Each program repeats its work this often in one process; the first repetition also pays for fresh memory.
inline const std::uint64_t repetitions = setting("BENCH_REPETITIONS", 3);

/// Work that has taken less is done again within its repetition: two threads need some 50 ms until the kernel has given
/// each a processor.
inline const std::chrono::milliseconds shortest_repetition(setting("BENCH_MS", 0));

/// PROGRAM THREADS BENCH [ARGS]
class arguments {
 public:
  arguments(int count, char** values) : count_(count), values_(values) {
    if (count < 3) {
      std::fprintf(stderr, "usage: %s THREADS BENCH [ARGS]\n", values[0]);
      std::exit(2);
    }
  }

  const char* threads() const { return values_[1]; }
  const char* name() const { return values_[2]; }

  /// The argument `index` after BENCH, counted from 0.
  std::uint64_t number(int index, std::uint64_t otherwise) const {
    return count_ > 3 + index ? std::strtoull(values_[3 + index], nullptr, 10) : otherwise;
  }

 private:
  int count_;
  char** values_;
};

inline double cpu_ns() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

/// Times from its construction to `report`.
class stopwatch {
 public:
  bool ran_long_enough() const { return std::chrono::steady_clock::now() - start_ >= shortest_repetition; }

  void report(const char* name, std::uint64_t operations) const {
    std::chrono::duration<double, std::nano> const wall = std::chrono::steady_clock::now() - start_;
    double const cpu = cpu_ns() - cpu_start_;
    auto const count = static_cast<double>(operations);
    std::printf("RES %s %.2f %.2f %llu\n", name, wall.count() / count, cpu / count,
                static_cast<unsigned long long>(operations));
    std::fflush(stdout);
  }

 private:
  double cpu_start_ = cpu_ns();
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

inline double resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  long size = 0;
  long resident = 0;
  if (file == nullptr || std::fscanf(file, "%ld %ld", &size, &resident) != 2) std::abort();
  std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

inline void report_memory(const char* name, double bytes, std::uint64_t items) {
  std::printf("MEM %s %.1f %llu\n", name, bytes / static_cast<double>(items),
              static_cast<unsigned long long>(items));
  std::fflush(stdout);
}

/// A wrong result is no result.
inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "wrong result: %s\n", what);
  std::exit(1);
}

/// Calls that fib(n) makes, itself included.
inline std::uint64_t fib_calls(std::uint64_t n) {
  std::uint64_t calls = 1;
  std::uint64_t next = 1;
  for (; n > 0; --n) {
    std::uint64_t const after = calls + next + 1;
    calls = next;
    next = after;
  }
  return calls;
}

/// The rest of an n-queens board: rows below, each bit a column or diagonal that is taken. Solutions are counted by one
/// task for each placed queen.
struct queens_board {
  std::uint32_t columns = 0, left = 0, right = 0;

  std::uint32_t free(std::uint32_t full) const { return full & ~(columns | left | right); }
  queens_board with(std::uint32_t queen) const {
    return {columns | queen, (left | queen) << 1, (right | queen) >> 1};
  }
};

/// The board's size; its solutions; the tasks that count them, one for each safe placement and one for the empty board.
inline constexpr std::uint32_t queens_size = 10;
inline constexpr std::uint64_t queens_solutions = 724;
inline constexpr std::uint64_t queens_tasks = 35'539;

/// The same delays in every program: 1 to 1000 ms.
class delays {
 public:
  std::uint64_t next_ms() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return 1 + state_ % 1000;
  }

 private:
  std::uint64_t state_ = 0x2545f4914f6cdd1d;
};

}  // namespace bench
