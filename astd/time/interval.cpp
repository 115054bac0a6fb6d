#include <astd/time/interval.hpp>

namespace astd {

// The tick that was waited for has come, now or some time ago.
steady_clock::time_point interval::take() noexcept {
  const detail::instant was = due_;
  const detail::instant now = detail::now_here();
  due_ = later(was, period_);
  if (due_ <= now) {
    switch (missed_) {
      case missed_tick::burst: break;
      case missed_tick::delay: due_ = later(now, period_); break;
      case missed_tick::skip: due_ = later(now, period_ - (now - was) % period_); break;
    }
  }
  return steady_clock::time_point(steady_clock::duration(was));
}

}  // namespace astd
