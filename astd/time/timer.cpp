#include <astd/time/timer.hpp>

#include <utility>

namespace astd {

void timer::set(detail::instant deadline) noexcept {
  waiters through;
  {
    detail::spin_guard guard(lock());
    deadline_ = deadline;
    look(through);
  }
  wake(through);
}

bool timer::cancel() noexcept {
  const detail::instant now = detail::now_here();
  detail::spin_guard guard(lock());
  const detail::instant was = std::exchange(deadline_, detail::never);
  return was != detail::never && was > now;
}

std::optional<steady_clock::time_point> timer::deadline() const noexcept {
  detail::spin_guard guard(lock());
  if (deadline_ == detail::never) return {};
  return steady_clock::time_point(steady_clock::duration(deadline_));
}

bool timer::has_expired() const noexcept {
  const detail::instant now = detail::now_here();
  detail::spin_guard guard(lock());
  return deadline_ <= now;
}

}  // namespace astd
