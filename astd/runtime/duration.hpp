// std::chrono durations and time points as the loop's nanoseconds.
#pragma once

#include <astd/base/instant.hpp>

#include <chrono>
#include <cstdint>

namespace astd::detail {

/// Nanoseconds, rounded up (a sleep is never shorter than asked for); what does not fit becomes `never`, what is negative 0.
template <class Rep, class Period>
constexpr instant to_nanoseconds(std::chrono::duration<Rep, Period> d) noexcept {
  if (!(d > d.zero())) return 0;  // also: not a number
  // As a floating-point number first: a count of hours may not fit into nanoseconds.
  const double rough = static_cast<double>(d.count()) * (static_cast<double>(Period::num) / Period::den) * 1e9;
  if (rough >= 9.2e18) return never;
  return static_cast<instant>(std::chrono::ceil<std::chrono::nanoseconds>(d).count());
}

/// The steady clock of the runtime that this thread works for; elsewhere, of the machine.
[[nodiscard]] instant now_here() noexcept;
/// The same of the system's clock: nanoseconds since 1970.
[[nodiscard]] instant system_now_here() noexcept;

/// The moment `tp` of a clock as an instant of the loop's clock; `never` for its largest value.
template <class Clock, class Duration>
instant to_instant(std::chrono::time_point<Clock, Duration> tp) noexcept {
  using std::chrono::duration;
  // Ours last: time that goes by between the two makes the moment later, never earlier.
  const auto there = Clock::now();
  const instant now = now_here();
  // As floating-point numbers first: neither `tp` nor the difference need fit into nanoseconds.
  const double rough_tp = duration<double, std::nano>(tp.time_since_epoch()).count();
  const double rough_left = rough_tp - duration<double, std::nano>(there.time_since_epoch()).count();
  if (!(rough_left > -1e9)) return now;
  if (rough_tp >= 9.2e18 || rough_left >= 9.2e18) return never;
  const instant left = to_nanoseconds(tp - there);
  return left >= never - now ? never : now + left;
}

}  // namespace astd::detail
