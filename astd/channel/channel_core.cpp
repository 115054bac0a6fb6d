#include <astd/channel/channel_awaiters.hpp>
#include <astd/channel/channel_core.hpp>
#include <astd/channel/channel_error.hpp>
#include <astd/runtime/slice.hpp>

#include <algorithm>

namespace astd::detail {

std::error_code why_not(sent how) noexcept {
  switch (how) {
    case sent::full: return channel_errc::full;
    case sent::no_memory: return std::make_error_code(std::errc::not_enough_memory);
    default: return channel_errc::closed;
  }
}

// ---- waiting

bool channel_waiter::has_time() noexcept {
  if (spend_slice()) [[likely]]
    return true;
  out_of_time_ = true;
  return false;
}

resumable* channel_waiter::wait(const await_context& c) noexcept {
  const bool out_of_time = out_of_time_;
  attach(c);
  if (!publish()) return stop();
  if (side_ == side::receives && core_->line_up(*this)) return nullptr;  // we may be gone
  return go_on(out_of_time);
}

resumable* channel_waiter::go_on(bool out_of_time) noexcept {
  channel_core& core = *core_;
  executor& on = in()->on();
  progress how;
  do {
    channel_core::waiters out;
    how = progress::done;
    {
      channel_guard guard(core.receivers_lock_, core.senders_lock_);
      if (place_ != place::refused) {
        channel_core::waiters& line = core.line_of(*this);
        how = proceed(line.empty(), out);
        if (how == progress::none) {
          if (side_ == side::sends) core.crowded_ = true;
          line.push_back(*this);
          place_ = place::in_line;
        } else if (how == progress::done) {
          place_ = place::admitted;
        }
        // Who waits for a place may send without one to us who wait for a message.
        if (core.crowded_ && !(how == progress::none && side_ == side::sends)) core.admit_senders(out);
      }
    }
    // As soon as the locks were free we may have been woken, if we are in line, and be gone.
    channel_core::wake(out);
    if (how == progress::some && !spend_slice()) {
      set_resume(&go_on_later);
      on.schedule(*this, urgency::queued);
      return nullptr;
    }
  } while (how == progress::some);
  if (how == progress::none) return nullptr;
  resumable* const next = finish(place_ == place::refused);
  // What need not wait here is at its end, most likely: a loop that does not see that keeps nobody waiting.
  if (!next || (!out_of_time && spend_slice())) return next;
  on.schedule(*next, urgency::queued);
  return nullptr;
}

void channel_waiter::go_on_later(resumable* r) {
  auto& self = static_cast<channel_waiter&>(*r);
  set_current_chain(self.in());
  resumable* const next = self.go_on(false);
  ASTD_TRANSFER_TO(next);
}

bool channel_core::line_up(channel_waiter& w) noexcept {
  senders_lock_.lock();
  // relaxed: what is read may be too low, not too high.
  const bool nothing = front_.load(std::memory_order_relaxed) == back_.load(std::memory_order_relaxed);
  const bool lines_up = nothing && !crowded_ && !ended() && w.place_ != channel_waiter::place::refused;
  if (lines_up) {
    waiting_receivers_.push_back(w);
    w.place_ = channel_waiter::place::in_line;
  }
  senders_lock_.unlock();
  return lines_up;
}

void channel_waiter::request_stop() noexcept {
  channel_core& core = *core_;
  channel_core::waiters behind;
  place was;
  {
    channel_guard guard(core.receivers_lock_, core.senders_lock_);
    was = place_;
    if (was == place::in_line) {
      channel_core::waiters::erase(*this);
      if (side_ == side::sends) core.admit_senders(behind);  // one that wants less than we did may have it now
    }
    if (was != place::admitted) place_ = place::refused;
  }
  channel_core::wake(behind);
  if (was == place::in_line) complete(true);
  stop_request_done();
}

void channel_waiter::describe_as(std::string& out, const char* what) const {
  out += what;
  if (const char* const name = core_->name()) {
    out += " '";
    out += name;
    out += '\'';
  }
}

// ---- the channel

channel_core::channel_core(std::uint64_t capacity, std::uint64_t mask, const char* name) noexcept
    : capacity_(capacity), mask_(mask), name_(name), closing_(0, name) {}

void channel_core::admit_senders(waiters& out) noexcept {
  while (channel_waiter* const first = waiting_senders_.front()) {
    // All at once here: it may have no more than the places that have become free.
    channel_waiter::progress how;
    do how = first->proceed(true, out);
    while (how == channel_waiter::progress::some);
    if (how == channel_waiter::progress::none) break;
    waiting_senders_.pop_front();
    first->place_ = channel_waiter::place::admitted;
    out.push_back(*first);
  }
  crowded_ = !waiting_senders_.empty();
}

channel_core::waiters& channel_core::line_of(const channel_waiter& w) noexcept {
  switch (w.side_) {
    case channel_waiter::side::sends: return waiting_senders_;
    case channel_waiter::side::receives: return waiting_receivers_;
    case channel_waiter::side::looks: break;
  }
  return looking_;
}

void channel_core::admit_all(waiters& from, waiters& out) noexcept {
  while (channel_waiter* const first = from.pop_front()) {
    first->found_closed_ = true;
    first->place_ = channel_waiter::place::admitted;
    out.push_back(*first);
  }
}

void channel_core::wake(waiters& out) noexcept {
  // One that was handed something runs next; of many, each gets its turn behind what is ready.
  channel_waiter* first = out.pop_front();
  if (!first) return;
  const urgency how = out.empty() ? urgency::next : urgency::queued;
  do first->complete(false, how);
  while ((first = out.pop_front()));
}

void channel_core::pass_on_places(std::uint64_t front) noexcept {
  if (waiting_senders_.empty()) [[likely]] {
    // release: pairs with the sender's acquire in has_place(); the place is empty.
    front_.store(front, std::memory_order_release);
    receivers_lock_.unlock();
    return;
  }
  waiters out;
  senders_lock_.lock();
  front_.store(front, std::memory_order_release);  // with the lock, or a newcomer could take the place
  admit_senders(out);
  senders_lock_.unlock();
  receivers_lock_.unlock();
  wake(out);
}

bool channel_core::close() noexcept {
  waiters out;
  {
    channel_guard guard(receivers_lock_, senders_lock_);
    if (closed()) return false;
    closed_.store(true, std::memory_order_release);
    admit_all(waiting_senders_, out);
    crowded_ = false;
    if (kept_ == 0) admit_all_for_messages(out);
  }
  wake(out);
  change(closing_);
  return true;
}

void channel_core::give_back(std::uint64_t n) noexcept {
  waiters out;
  {
    channel_guard guard(receivers_lock_, senders_lock_);
    kept_ -= n;
    settle(out);
  }
  wake(out);
}

// ---- who holds it

void channel_core::drop_sender() noexcept {
  // acq_rel: as in drop_reference().
  if (senders_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  close();
  drop_reference();
}

void channel_core::drop_receiver() noexcept {
  if (receivers_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  {
    spin_guard guard(senders_lock_);
    abandoned_ = true;
  }
  close();
  discard_all();
  drop_reference();
}

bool channel_core::upgrade(atomic<std::size_t>& count) noexcept {
  if (is_closed()) return false;
  std::size_t seen = count.load(std::memory_order_relaxed);
  while (seen != 0)
    if (count.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_relaxed))
      return true;
  return false;
}

std::size_t channel_core::size() const noexcept {
  // acquire: so that back_, which is read second, is not behind it.
  const std::uint64_t front = front_.load(std::memory_order_acquire);
  const std::uint64_t back = back_.load(std::memory_order_acquire);
  return static_cast<std::size_t>(std::min(back - front, capacity_));
}

std::uint64_t channel_core::free_places() const noexcept {
  if (capacity_ == unlimited) return unlimited;
  auto& lock = const_cast<spin_lock&>(senders_lock_);
  lock.lock();
  const std::uint64_t used = back_.load(std::memory_order_relaxed) - front_.load(std::memory_order_acquire) + kept_;
  lock.unlock();
  return capacity_ - used;
}

}  // namespace astd::detail
