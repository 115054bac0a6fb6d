// The clocks of the runtime. Where tasks run in virtual time (runtime_options::clock) these are virtual, too; elsewhere
// they are the machine's.
//
//   const auto begin = astd::steady_clock::now();
//   co_await work();
//   auto took = astd::steady_clock::now() - begin;
#pragma once

#include <astd/runtime/duration.hpp>

#include <chrono>
#include <cstdint>
#include <ctime>

namespace astd {

/// As std::chrono::steady_clock: never goes back, and is not set. Which one it is the calling thread decides: a worker's,
/// a block_on's and a blocking call's is their runtime's, any other's the machine's. So take a moment and use it on the
/// same runtime. 20 to 40 ns.
struct steady_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<steady_clock>;
  static constexpr bool is_steady = true;
  /// Any thread.
  [[nodiscard]] static time_point now() noexcept { return time_point(duration(detail::now_here())); }
};

/// As std::chrono::system_clock: the time of day, in nanoseconds since 1970-01-01 00:00:00 UTC. Virtual time begins on
/// 2000-01-01 00:00:00 UTC.
struct system_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<system_clock>;
  static constexpr bool is_steady = false;
  /// Any thread.
  [[nodiscard]] static time_point now() noexcept { return time_point(duration(detail::system_now_here())); }

  [[nodiscard]] static std::time_t to_time_t(time_point tp) noexcept {
    return static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(tp).time_since_epoch().count());
  }
  [[nodiscard]] static time_point from_time_t(std::time_t t) noexcept {
    return time_point(std::chrono::seconds(t));
  }
  /// To and from the calendar and the formats of std, and std::chrono::clock_cast.
  template <class D>
  [[nodiscard]] static constexpr std::chrono::sys_time<D> to_sys(
      std::chrono::time_point<system_clock, D> tp) noexcept {
    return std::chrono::sys_time<D>(tp.time_since_epoch());
  }
  template <class D>
  [[nodiscard]] static constexpr std::chrono::time_point<system_clock, D> from_sys(
      std::chrono::sys_time<D> tp) noexcept {
    return std::chrono::time_point<system_clock, D>(tp.time_since_epoch());
  }
};

}  // namespace astd
