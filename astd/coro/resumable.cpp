#include <astd/coro/resumable.hpp>

namespace astd::detail {
namespace {
constinit thread_local resumable* deferred = nullptr;
}

void defer(resumable& r) noexcept {
  r.next_ = deferred;
  deferred = &r;
}

void run(resumable& r) noexcept {
  // A run inside a run (block_on within a task) leaves the outer one's work to the outer one.
  resumable* const outer = deferred;
  deferred = nullptr;
  r.resume_(&r);
  while (resumable* next = deferred) {
    deferred = next->next_;
    next->next_ = nullptr;
    next->resume_(next);
  }
  deferred = outer;
}

}  // namespace astd::detail
