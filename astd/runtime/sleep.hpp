// Suspending until a moment has come.
#pragma once

#include <astd/coro/awaitable.hpp>
#include <astd/runtime/duration.hpp>
#include <astd/runtime/timer_wheel.hpp>

#include <cstdint>
#include <string>

namespace astd::detail {

class loop;

/// Sleeps until an instant of the loop's clock, or for a time from the start of the await.
class sleep_awaiter final : public suspension, private timer, public awaiter_base<sleep_awaiter> {
 public:
  using value_type = void;
  /// `relative`: nanoseconds from the start of the await.
  sleep_awaiter(instant when, bool relative) noexcept {
    deadline = when;
    if (!relative) fired = &on_time;
  }

  bool await_ready() const noexcept { return is_relative() && deadline <= 0; }
  resumable* start(const await_context& c) noexcept;
  outcome<void> take() noexcept {
    await_resume();
    outcome<void> o;
    o.set_value();
    return o;
  }
  void await_resume() noexcept { resumed(); }
  void request_stop() noexcept override;
  void describe(std::string& out, unsigned) const override;

 private:
  resumable* arm() noexcept;
  static void arm_on_worker(resumable* r);
  static void on_time(timer& t) noexcept;
  // A bit of its own would be 8 bytes more in the frame of every sleep.
  [[nodiscard]] bool is_relative() const noexcept { return !fired; }
  loop* home_ = nullptr;
};

class sleep_awaitable {
 public:
  sleep_awaitable(instant when, bool relative) noexcept : when_(when), relative_(relative) {}
  auto operator co_await() const noexcept { return sleep_awaiter(when_, relative_); }

 private:
  instant when_;
  bool relative_;
};

/// Suspends once and lets everything else that is ready run first.
class yield_awaiter final : public suspension, public awaiter_base<yield_awaiter> {
 public:
  using value_type = void;
  bool await_ready() const noexcept { return false; }
  resumable* start(const await_context& c) noexcept {
    attach(c);
    if (c.in->cancel_requested()) return stop();
    c.in->on().schedule(*c.continuation, urgency::queued);
    return nullptr;
  }
  outcome<void> take() noexcept {
    await_resume();
    outcome<void> o;
    o.set_value();
    return o;
  }
  void await_resume() noexcept { resumed(); }
  void request_stop() noexcept override {}  // never published
  void describe(std::string& out, unsigned) const override { out += "yield"; }
};

class yield_awaitable {
 public:
  auto operator co_await() const noexcept { return yield_awaiter(); }
};

}  // namespace astd::detail
