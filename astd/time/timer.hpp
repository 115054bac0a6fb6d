// timer: a moment that can be waited for, put off and brought forward.
//
//   astd::timer idle(30s);
//   for (;;) {
//     auto [message, gone] = co_await astd::select(receive(), idle);
//     if (gone) break;
//     idle.reset(30s);
//   }
#pragma once

#include <astd/runtime/duration.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/timed_line.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace astd {

/// Whoever awaits it goes on when its moment has come: at once if that is past, as often as one likes. While it is not
/// set, its moment never comes; who waits then waits until it is set, and for that moment. So does who waits while it is
/// set anew: for the new moment, be it earlier or later. Any number of tasks may wait; they go on in the order of their
/// arrival.
///
/// All members may be called on any thread, and outside of tasks too. Moments are of the clock of the calling thread (see
/// steady_clock), so set it in the runtime in which it is awaited. It outlives every wait and is not moved. Neither
/// setting nor waiting takes an allocation. Cancelling a wait leaves the timer as it is.
class timer : private detail::timed_line {
 public:
  /// Not set.
  timer() noexcept = default;
  /// Set, as by reset() and reset_at().
  template <class Rep, class Period>
  explicit timer(std::chrono::duration<Rep, Period> d) noexcept : deadline_(after(d)) {}
  template <class Clock, class Duration>
  explicit timer(std::chrono::time_point<Clock, Duration> tp) noexcept : deadline_(detail::to_instant(tp)) {}

  /// Its moment is `d` from now; zero or less: now. What is too long for the clock never comes.
  template <class Rep, class Period>
  void reset(std::chrono::duration<Rep, Period> d) noexcept {
    set(after(d));
  }
  /// Its moment is `tp` of any clock with now(), which is read here: see this_task::sleep_until.
  template <class Clock, class Duration>
  void reset_at(std::chrono::time_point<Clock, Duration> tp) noexcept {
    set(detail::to_instant(tp));
  }
  /// Not set any more. True: it was, and its moment had not come.
  bool cancel() noexcept;

  /// Its moment, past or not; empty while it is not set.
  [[nodiscard]] std::optional<steady_clock::time_point> deadline() const noexcept;
  /// Whether its moment has come.
  [[nodiscard]] bool has_expired() const noexcept;

  auto operator co_await() noexcept { return awaiter(*this); }

 private:
  class awaiter final : public detail::timed_waiter, public detail::awaiter_base<awaiter> {
   public:
    using value_type = void;
    explicit awaiter(timer& t) noexcept : timed_waiter(t) {}
    bool await_ready() const noexcept { return false; }
    detail::resumable* start(const detail::await_context& c) noexcept { return begin(c); }
    detail::outcome<void> take() noexcept {
      resumed();
      detail::outcome<void> o;
      o.set_value();
      return o;
    }
    void describe(std::string& out, unsigned) const override { out += "timer"; }
  };

  template <class Rep, class Period>
  static detail::instant after(std::chrono::duration<Rep, Period> d) noexcept {
    const detail::instant now = detail::now_here();
    const detail::instant span = detail::to_nanoseconds(d);
    return span >= detail::never - now ? detail::never : now + span;
  }
  void set(detail::instant deadline) noexcept;
  detail::instant due() const noexcept override { return deadline_; }
  bool admit(detail::timed_waiter&, detail::instant now) noexcept override { return deadline_ <= now; }

  detail::instant deadline_ = detail::never;  // guarded by lock()
};

}  // namespace astd
