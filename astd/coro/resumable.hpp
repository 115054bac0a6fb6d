// What a loop can resume: a coroutine frame, or a struct that looks like the head of one.
//
// Every compiler astd supports lays a coroutine frame out as {resume function, destroy function, promise...}. A
// struct with the same head can therefore stand wherever a coroutine handle is expected: in a run queue, as a
// continuation, as the target of a symmetric transfer. That is how an operation, the end of a chain of awaits or
// a cancellation gets its turn without an allocation and without a second kind of queue.
#pragma once

#include <astd/base/config.hpp>

#include <coroutine>

namespace astd::detail {

struct resumable;
using resume_function = void (*)(resumable*);

/// The head of a coroutine frame whose promise begins with a link.
struct resumable {
  resume_function resume_;
  void* second_;               // a coroutine's destroy function; free for use in all others
  resumable* next_ = nullptr;  // the link while queued; a promise's first word

  resumable() noexcept : resume_(nullptr), second_(nullptr) {}
  explicit resumable(resume_function f, void* second = nullptr) noexcept : second_(second) { set_resume(f); }

  /// Hides the function from the optimiser: coroutines are called with a convention of the compiler's own, which is
  /// the C one in registers and stack on every platform here but not in its books; a devirtualised call would be
  /// taken for undefined behaviour.
  void set_resume(resume_function f) noexcept {
#if ASTD_HAS_GNU_ASM
    asm("" : "+r"(f));
#endif
    resume_ = f;
  }
};

inline resumable* as_resumable(std::coroutine_handle<> handle) noexcept {
  return static_cast<resumable*>(handle.address());
}
inline std::coroutine_handle<> as_handle(resumable* r) noexcept { return std::coroutine_handle<>::from_address(r); }

/// Puts `r` on this thread's stack of things to resume as soon as control is back in run().
void defer(resumable& r) noexcept;

/// Resumes `r`, then everything deferred meanwhile, last in first out. Each turn of a loop goes through here; whoever
/// resumes an astd coroutine by hand must use it, too.
void run(resumable& r) noexcept;

/// Whether this thread is in run(), so that what is deferred will be resumed.
bool is_inside_run() noexcept;

/// What an await_suspend returns to go on with `r`, or to go back to the loop if `r` is null.
inline std::coroutine_handle<> transfer(resumable* r) noexcept {
  if (!r) return std::noop_coroutine();
#if ASTD_HAS_TAIL_CALLS
  return as_handle(r);
#else
  defer(*r);
  return std::noop_coroutine();
#endif
}

}  // namespace astd::detail

// The last statement of a resume function: goes on with `r` without growing the stack. No local with a destructor may
// be alive, and the function is not noexcept (Clang takes that for a clean-up, too).
#if ASTD_HAS_MUST_TAIL
#define ASTD_TRANSFER_TO(r)                              \
  do {                                                   \
    ::astd::detail::resumable* const astd_next = (r);    \
    if (!astd_next) return;                              \
    ASTD_MUST_TAIL return astd_next->resume_(astd_next); \
  } while (false)
#else
#define ASTD_TRANSFER_TO(r)                           \
  do {                                                \
    ::astd::detail::resumable* const astd_next = (r); \
    if (astd_next) ::astd::detail::defer(*astd_next); \
    return;                                           \
  } while (false)
#endif
