// random: where a program's random numbers come from, so that a simulation can decide them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace astd {

/// A std::uniform_random_bit_generator without a state of its own: all of them draw from one source. On a simulated
/// machine that is the simulation, whose seed gives the same numbers every time; elsewhere it is a generator of the
/// calling thread, seeded by the system. Good enough for everything but secrets: whoever sees enough of it can tell what
/// comes next. A child process that was forked repeats its parent's numbers unless it draws from a thread of its own.
///
/// std's distributions work with it, but each standard library computes them in its own way: below(), chance() and
/// between() are the same everywhere. Any thread; some 2 ns a number outside of simulations.
class random {
 public:
  using result_type = std::uint64_t;
  static constexpr result_type min() noexcept { return 0; }
  static constexpr result_type max() noexcept { return UINT64_MAX; }
  result_type operator()() const noexcept { return next(); }

  [[nodiscard]] static std::uint64_t next() noexcept;
  /// 0 to n - 1, each as probable as the others; 0 for n = 0.
  [[nodiscard]] static std::uint64_t below(std::uint64_t n) noexcept;
  /// first to last, both included; first if last is smaller.
  [[nodiscard]] static std::int64_t between(std::int64_t first, std::int64_t last) noexcept;
  /// True with this probability: never for 0 and less, always for 1 and more.
  [[nodiscard]] static bool chance(double probability) noexcept;
  static void fill(std::span<std::byte> bytes) noexcept;
};

}  // namespace astd
