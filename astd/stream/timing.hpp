// Streams and time: throttle, delay, timeout, chunks_timeout.
//
//   auto slow = ticks | stream::throttle(100ms);
//   auto batches = messages | stream::chunks_timeout(100, 10ms);
#pragma once

#include <astd/runtime/duration.hpp>
#include <astd/runtime/sleep.hpp>
#include <astd/stream/adaptor.hpp>
#include <astd/stream/hub.hpp>
#include <astd/stream/transform.hpp>
#include <astd/time/clock.hpp>
#include <astd/time/timeout.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace astd::stream::detail {

inline instant moment_in(instant d) noexcept {
  const instant now = now_here();
  return d >= astd::detail::never - now ? astd::detail::never : now + d;
}

/// Sleeps before it asks for the next element. `every`: before each but the first, so that they are `d` apart; else once.
template <class S, bool every>
class pausing_piece : public adaptor<pausing_piece<S, every>, S> {
 public:
  using element = element_t<S>;
  pausing_piece(S&& s, instant d) : adaptor<pausing_piece, S>(std::move(s)), pause_(d), begun_(every) {}
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    for (;;) {
      if (sleep_.is_live()) {
        outcome<void> o;
        sleep_.end(o);
      } else if (!begun_) {
        due_ = moment_in(pause_);
        begun_ = true;
      }
      if (due_ != 0 && now_here() < due_) {
        sleep_.begin([this] { return sleep_awaitable(due_, false); });
        return flow::wait;
      }
      if constexpr (!every) {
        return this->stream_.run(sink, error);
      } else {
        bool more = true;
        const flow how = this->stream_.run(
            [&](element&& x) {
              due_ = moment_in(pause_);
              more = sink(static_cast<element&&>(x));
              return false;
            },
            error);
        if (how != flow::stopped || !more) return how;
      }
    }
  }
  void arrival() = delete;  // there are pauses to wait for as well
  resumable* wait(const await_context& c) { return sleep_.is_live() ? sleep_.start(c) : this->stream_.wait(c); }
  void abandon() noexcept {
    if (sleep_.is_live())
      sleep_.reset();
    else
      this->stream_.abandon();
  }
  [[nodiscard]] size_bounds bounds() const { return this->stream_.bounds(); }

 private:
  operation<sleep_awaitable> sleep_;
  instant pause_;
  instant due_ = 0;
  bool begun_;
};

template <class S>
class lane_hub final : public hub {
 public:
  explicit lane_hub(S&& s) : source(std::in_place, std::move(s)) {}
  void request_stop() noexcept override { source->request_stop(); }
  void clear() noexcept override { source.reset(); }
  std::optional<lane<S>> source;
};

/// A source that is waited for until a moment, and goes on when that has come.
template <class Derived, class S>
class limited_piece : public piece_base<Derived> {
  using until =
      decltype(astd::detail::limited_by(std::declval<const sleep_awaitable&>(), std::declval<event&>().wait()));

 public:
  static constexpr bool runs_ahead = true;
  limited_piece(S&& s, instant limit) : hub_(std::in_place, std::move(s)), limit_(limit) {}
  resumable* wait(const await_context& c) {
    operation_.begin(
        [this]() -> until { return astd::detail::limited_by(sleep_awaitable(due_, false), hub_->changed.wait()); });
    if (!operation_.is_ready()) return operation_.start(c);
    return c.continuation;
  }
  void abandon() noexcept { operation_.reset(); }
  template <class G>
  void each_hub(G&& f) {
    if (!hub_) return;
    f(static_cast<hub&>(*hub_));
    if (hub_->is_quiet()) hub_->source->each_hub(f);
  }

 protected:
  void settle() noexcept {
    if (!operation_.is_live()) return;
    outcome<void> o;
    operation_.end(o);
  }
  flow poll(slot<element_t<S>>& to, outcome<void>& error) { return hub_->source->poll(*hub_, to, error); }
  [[nodiscard]] size_bounds source_bounds() const { return hub_->source->bounds(); }
  // From now on.
  void set_clock() noexcept {
    if (due_ == astd::detail::never) due_ = moment_in(limit_);
  }
  void stop_clock() noexcept { due_ = astd::detail::never; }
  [[nodiscard]] bool is_late() const noexcept { return due_ != astd::detail::never && now_here() >= due_; }

 private:
  hub_owner<lane_hub<S>> hub_;
  operation<until> operation_;
  instant limit_;
  instant due_ = astd::detail::never;
};

template <class S>
class timeout_piece : public limited_piece<timeout_piece<S>, S> {
 public:
  using element = std::expected<value_t<element_t<S>>, std::error_code>;
  using limited_piece<timeout_piece<S>, S>::limited_piece;
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    this->settle();
    for (;;) {
      slot<element_t<S>> x;
      const flow how = this->poll(x, error);
      if (how == flow::stopped) {
        this->stop_clock();
        if (!sink(element(x.get()))) return flow::stopped;
        continue;
      }
      // flow::yield: it is busy, and has not come to an element either.
      if (how != flow::wait && how != flow::yield) return how;
      if (!this->is_late()) {
        this->set_clock();
        return how;
      }
      this->stop_clock();
      if (!sink(element(std::unexpect, make_error_code(errc::timed_out)))) return flow::stopped;
    }
  }
  [[nodiscard]] size_bounds bounds() const { return {this->source_bounds().least, size_bounds::unknown}; }
};

template <class S>
class chunks_piece : public limited_piece<chunks_piece<S>, S> {
 public:
  using element = std::vector<value_t<element_t<S>>>;
  chunks_piece(S&& s, std::size_t n, instant limit)
      : limited_piece<chunks_piece, S>(std::move(s), limit), most_(n) {
    if (n == 0) throw_invalid_argument("astd::stream::chunks_timeout: a chunk has 1 element or more");
  }
  template <class Sink>
  flow run(Sink&& sink, outcome<void>& error) {
    this->settle();
    for (;;) {
      slot<element_t<S>> x;
      const flow how = this->poll(x, error);
      if (how == flow::stopped) {
        if (held_.empty()) this->set_clock();
        held_.push_back(x.get());
        if (held_.size() < most_) continue;
      } else if (how == flow::end) {
        if (held_.empty()) return how;
      } else if ((how != flow::wait && how != flow::yield) || !this->is_late()) {
        return how;
      }
      this->stop_clock();
      if (!sink(std::exchange(held_, element()))) return flow::stopped;
    }
  }

 private:
  std::size_t most_;
  element held_;
};

}  // namespace astd::stream::detail

namespace astd::stream {

/// No two elements closer together than `d`: the first at once, then the stream is not asked before `d` has passed since
/// the last. Nothing is left out, and the end, too, is looked for only then.
template <class Rep, class Period>
[[nodiscard]] auto throttle(std::chrono::duration<Rep, Period> d) {
  return detail::make_closure(
      [d = detail::to_nanoseconds(d)]<class S>(S&& s) { return detail::pausing_piece<S, true>(std::move(s), d); });
}
/// Sleeps for `d`, once, before the first element is asked for. The time counts from there.
template <class Rep, class Period>
[[nodiscard]] auto delay(std::chrono::duration<Rep, Period> d) {
  return detail::make_closure(
      [d = detail::to_nanoseconds(d)]<class S>(S&& s) { return detail::pausing_piece<S, false>(std::move(s), d); });
}
/// std::expected<T, std::error_code>: the elements, and errc::timed_out for each `d` in which one was waited for and none
/// came. The stream goes on behind it, and what it waits for is not cancelled. Takes an allocation, and a task if the
/// stream has to wait.
template <class Rep, class Period>
[[nodiscard]] auto timeout(std::chrono::duration<Rep, Period> d) {
  return detail::make_closure(
      [d = detail::to_nanoseconds(d)]<class S>(S&& s) { return detail::timeout_piece<S>(std::move(s), d); });
}
/// std::vectors of up to n elements: given when they are full, or when `d` has passed since the first of them came; never
/// empty. Throws std::invalid_argument if n is 0. Takes what timeout takes.
template <class Rep, class Period>
[[nodiscard]] auto chunks_timeout(std::size_t n, std::chrono::duration<Rep, Period> d) {
  return detail::make_closure(
      [n, d = detail::to_nanoseconds(d)]<class S>(S&& s) { return detail::chunks_piece<S>(std::move(s), n, d); });
}

}  // namespace astd::stream
