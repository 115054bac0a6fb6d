#include <astd/coro/thread_state.hpp>

#include <utility>

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
  const bool outer_run = std::exchange(here.inside_run, true);
  resumable* const outer_deferred = std::exchange(here.deferred, nullptr);
  chain* const outer_chain = here.current;
  r.resume_(&r);
  while (resumable* next = here.deferred) {
    here.deferred = next->next_;
    next->next_ = nullptr;
    next->resume_(next);
  }
  here.deferred = outer_deferred;
  here.inside_run = outer_run;
  here.current = outer_chain;
}

}  // namespace astd::detail
