#include <astd/coro/task_header.hpp>
#include <astd/sync/once.hpp>

namespace astd::detail {

void once::end(wait_queue::word state) noexcept {
  // release: for those who see that it is done, or do it next.
  if (queue_.change(running, state, std::memory_order_release)) return;
  queue_.update([state](wait_queue::word) { return state; });
}

once::turn once::try_begin() noexcept {
  const bool mine = queue_.try_take([](wait_queue::word& state) {
    if (state != untouched) return false;
    state = running;
    return true;
  });
  if (!mine) return {};
  owner_.set_here();
  return turn(*this);
}

bool once_turn_awaiter::await_ready() noexcept {
  if (once_.done()) return true;
  mine_ = once_.queue_.change(once::untouched, once::running, std::memory_order_acquire);
  if (mine_) once_.owner_.set_here();
  return mine_;
}

bool once_turn_awaiter::admit(wait_queue::word& state) noexcept {
  if (state == once::is_done) return true;
  if (state == once::running) return false;
  state = once::running;
  const task_header* const t = in()->task();
  once_.owner_.set(t ? t->id : 0);
  return mine_ = true;
}

outcome<once::turn> once_turn_awaiter::take() noexcept {
  resumed();
  outcome<once::turn> out;
  if (mine_)
    out.set_value(once::turn(once_));
  else
    out.set_value();
  return out;
}

void once_turn_awaiter::describe(std::string& out, unsigned) const {
  describe_as(out, what_);
  once_.owner_.describe(out);
}

}  // namespace astd::detail
