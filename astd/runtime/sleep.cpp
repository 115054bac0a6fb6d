#include <astd/runtime/loop.hpp>
#include <astd/runtime/sleep.hpp>
#include <astd/runtime/worker.hpp>

namespace astd::detail {

resumable* sleep_awaiter::start(const await_context& c) noexcept {
  attach(c);
  if (worker* w = worker::current(); w && w->runs(in()->on())) {
    home_ = &w->events();
    return arm();
  }
  // As in io_operation: go to a worker first.
  set_resume(&arm_on_worker);
  in()->on().schedule(*this, urgency::queued);
  return nullptr;
}

void sleep_awaiter::arm_on_worker(resumable* r) {
  auto& self = static_cast<sleep_awaiter&>(*r);
  self.home_ = &current_loop();
  resumable* const next = self.arm();
  ASTD_TRANSFER_TO(next);
}

resumable* sleep_awaiter::arm() noexcept {
  if (is_relative()) {
    const instant now = home_->now();
    deadline = deadline >= never - now ? never : now + deadline;
    fired = &on_time;
  }
  if (!publish()) return stop();
  return home_->arm(*this) ? nullptr : finish(true);
}

void sleep_awaiter::on_time(timer& t) noexcept { static_cast<sleep_awaiter&>(t).complete(false, urgency::queued); }

void sleep_awaiter::request_stop() noexcept {
  if (home_->disarm(*this)) complete(true);
  stop_request_done();
}

void sleep_awaiter::describe(std::string& out, unsigned) const { out += "sleep"; }

}  // namespace astd::detail
