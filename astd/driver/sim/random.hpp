// Where a simulation's chance comes from: streams of numbers that a seed decides.
#pragma once

#include <cstdint>

namespace astd::driver::sim {

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014): one word of state, the
/// same numbers on every machine and compiler, which std's distributions do not promise.
class random_stream {
 public:
  explicit constexpr random_stream(std::uint64_t seed) noexcept : state_(seed) {}
  /// Another stream of the same seed: what one draws does not shift what the other gives.
  constexpr random_stream(std::uint64_t seed, std::uint64_t number) noexcept
      : state_(mixed(seed + (number + 1) * 0xd1342543de82ef95)) {}

  constexpr std::uint64_t next() noexcept { return mixed(state_ += 0x9e3779b97f4a7c15); }

  /// 0 to n - 1; n is not 0. Lemire's multiplication, without its last correction: the error is below n / 2^64.
  constexpr std::uint64_t below(std::uint64_t n) noexcept {
    __extension__ using wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<wide>(next()) * n) >> 64);
  }
  /// from to to, both included.
  constexpr std::int64_t between(std::int64_t from, std::int64_t to) noexcept {
    return from >= to ? from : from + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(to - from) + 1));
  }
  /// True with this probability. Draws nothing if it is 0.
  constexpr bool chance(double probability) noexcept {
    return probability > 0 && static_cast<double>(next() >> 11) * 0x1p-53 < probability;
  }

 private:
  static constexpr std::uint64_t mixed(std::uint64_t z) noexcept {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace astd::driver::sim
