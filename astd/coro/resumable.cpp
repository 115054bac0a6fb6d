#include <astd/coro/thread_state.hpp>

namespace astd::detail {

constinit thread_local thread_state this_thread_state;

bool is_inside_run() noexcept { return this_thread_state.inside_run; }

void defer(resumable& r) noexcept {
  thread_state& here = this_thread_state;
  r.next_ = here.deferred;
  here.deferred = &r;
}

void run(resumable& r) noexcept {
  thread_state& here = this_thread_state;
  // A run inside a run (block_on within a task) leaves the outer one's work, and its chain, to the outer one.
  const thread_state outer = here;
  here.deferred = nullptr;
  here.inside_run = true;
  r.resume_(&r);
  while (resumable* next = here.deferred) {
    here.deferred = next->next_;
    next->next_ = nullptr;
    next->resume_(next);
  }
  here.deferred = outer.deferred;
  here.inside_run = outer.inside_run;
  here.current = outer.current;
}

}  // namespace astd::detail
