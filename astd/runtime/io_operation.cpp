#include <astd/base/assert.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/io_operation.hpp>

#include <cerrno>

namespace astd::detail {

resumable* io_operation::start_io(const await_context& c) noexcept {
  attach(c);
  if (worker* w = worker::current(); w && w->runs(in()->on())) return submit_to(*w);
  // A coroutine of somebody else's, on a thread of somebody else's, or one in a block_on that need not wait for it: go to
  // a worker first.
  set_resume(&start_on_worker);
  in()->on().schedule(*this, urgency::queued);
  return nullptr;
}

void io_operation::start_on_worker(resumable* r) {
  auto& self = static_cast<io_operation&>(*r);
  worker* const w = worker::current();
  ASTD_ASSERT(w, "an operation was awaited on an executor that is no runtime's");
  resumable* const next = self.submit_to(*w);
  ASTD_TRANSFER_TO(next);
}

resumable* io_operation::submit_to(worker& here) noexcept {
  home_ = &here.events();
  if (!publish()) return stop();
  if (!home_->submit(*this)) return nullptr;
  const bool stopped = result() == -ECANCELED && cancel_asked;
  // What ends at once may go on at once, but not for ever.
  if (here.spend()) [[likely]]
    return finish(stopped);
  complete(stopped, urgency::queued);
  return nullptr;
}

void io_operation::ended(driver::operation& op) noexcept {
  auto& self = static_cast<io_operation&>(op);
  self.complete(op.result == -ECANCELED && op.cancel_asked, urgency::queued);
}

void io_operation::request_stop() noexcept {
  home_->cancel(*this);
  stop_request_done();
}

void io_operation::describe(std::string& out, unsigned) const {
  out += driver::name_of(code);
  if (fd >= 0) {
    out += " on descriptor ";
    out += std::to_string(fd);
  }
}

}  // namespace astd::detail
