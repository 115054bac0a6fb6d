#include <astd/coro/resumable.hpp>

namespace astd::detail {
namespace {
constinit thread_local resumable* deferred = nullptr;
constinit thread_local bool inside_run = false;
}  // namespace

bool is_inside_run() noexcept { return inside_run; }

void defer(resumable& r) noexcept {
  r.next_ = deferred;
  deferred = &r;
}

void run(resumable& r) noexcept {
  // A run inside a run (block_on within a task) leaves the outer one's work to the outer one.
  resumable* const outer = deferred;
  const bool was_inside = inside_run;
  deferred = nullptr;
  inside_run = true;
  r.resume_(&r);
  while (resumable* next = deferred) {
    deferred = next->next_;
    next->next_ = nullptr;
    next->resume_(next);
  }
  deferred = outer;
  inside_run = was_inside;
}

}  // namespace astd::detail
