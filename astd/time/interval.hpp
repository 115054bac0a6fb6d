// interval: ticks at equal distances.
//
//   astd::interval ticks(1s);
//   for (;;) {
//     co_await ticks.next();
//     report();
//   }
#pragma once

#include <astd/base/error.hpp>
#include <astd/runtime/duration.hpp>
#include <astd/runtime/sleep.hpp>
#include <astd/time/clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace astd {

/// What an interval does when a tick is taken so late that the next one is due as well.
enum class missed_tick : std::uint8_t {
  burst,  // all come, at once after each other, until it has caught up: as many ticks as periods
  delay,  // the next comes one period after this one was taken: never two closer together
  skip,   // those that were missed are left out, the next comes where it was to come: the rhythm is kept
};

/// A stream of ticks that never ends. The first comes one period after it was made. next() waits for the tick and gives
/// the moment at which it was due; it is late only if nobody was there to take it. A tick counts as taken when next()
/// has given it: cancelling next() loses none.
///
/// The rhythm does not drift: each tick is due one period after the one before was due, however late that was taken. Only
/// when the next one is due already by then, `missed` decides.
///
/// Used by one task at a time; not moved while next() is awaited. Takes no allocation.
class interval {
 public:
  /// Throws std::invalid_argument if `period` is not more than zero.
  template <class Rep, class Period>
  explicit interval(std::chrono::duration<Rep, Period> period, missed_tick missed = missed_tick::burst)
      : due_(from_now(to_period(period))), period_(to_period(period)), missed_(missed) {}
  /// As interval_at().
  template <class Clock, class Duration, class Rep, class Period>
  interval(std::chrono::time_point<Clock, Duration> first, std::chrono::duration<Rep, Period> period,
           missed_tick missed = missed_tick::burst)
      : due_(detail::to_instant(first)), period_(to_period(period)), missed_(missed) {}

  /// Gives a std::optional of the moment, never empty. At a moment that has passed it goes on at the loop's next turn.
  [[nodiscard]] auto next() noexcept { return awaitable(*this); }

  /// The next tick is due one period from now.
  void reset() noexcept { due_ = from_now(period_); }
  /// The next tick is due at `tp`, the others in their periods after it.
  template <class Clock, class Duration>
  void reset_at(std::chrono::time_point<Clock, Duration> tp) noexcept {
    due_ = detail::to_instant(tp);
  }

  [[nodiscard]] std::chrono::nanoseconds period() const noexcept { return std::chrono::nanoseconds(period_); }
  [[nodiscard]] missed_tick missed() const noexcept { return missed_; }
  void set_missed(missed_tick missed) noexcept { missed_ = missed; }

 private:
  class awaiter final : public detail::awaiter_base<awaiter> {
   public:
    using value_type = std::optional<steady_clock::time_point>;
    explicit awaiter(interval& of) noexcept : of_(of), sleep_(of.due_, false) {}
    bool await_ready() const noexcept { return false; }
    detail::resumable* start(const detail::await_context& c) noexcept { return sleep_.start(c); }
    detail::outcome<value_type> take() noexcept {
      sleep_.await_resume();
      detail::outcome<value_type> o;
      o.set_value(of_.take());
      return o;
    }

   private:
    interval& of_;
    detail::sleep_awaiter sleep_;
  };
  class awaitable {
   public:
    explicit awaitable(interval& of) noexcept : of_(of) {}
    auto operator co_await() const noexcept { return awaiter(of_); }

   private:
    interval& of_;
  };

  template <class Rep, class Period>
  static detail::instant to_period(std::chrono::duration<Rep, Period> d) {
    const detail::instant period = detail::to_nanoseconds(d);
    if (period <= 0) detail::throw_invalid_argument("interval: a period that is not more than zero");
    return period;
  }
  static detail::instant from_now(detail::instant d) noexcept { return later(detail::now_here(), d); }
  static detail::instant later(detail::instant from, detail::instant by) noexcept {
    return by >= detail::never - from ? detail::never : from + by;
  }
  steady_clock::time_point take() noexcept;

  detail::instant due_;
  detail::instant period_;
  missed_tick missed_;
};

/// An interval whose first tick is due at `first` of any clock with now(), which is read here; one that has passed is due
/// at once.
template <class Clock, class Duration, class Rep, class Period>
[[nodiscard]] interval interval_at(std::chrono::time_point<Clock, Duration> first,
                                   std::chrono::duration<Rep, Period> period,
                                   missed_tick missed = missed_tick::burst) {
  return interval(first, period, missed);
}

}  // namespace astd
