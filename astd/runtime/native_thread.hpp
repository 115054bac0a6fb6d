// Threads as the blocking pool needs them: started without an exception, joined by whoever comes by, left alone by
// the program's signals.
#pragma once

#include <cstdint>
#include <string_view>

namespace astd::detail {

/// A thread that was started by start_thread() and is still to be joined.
using native_thread = std::uintptr_t;

/// Starts a joinable thread that runs `run(argument)`. It blocks all signals but those that tell of a fault in its
/// own code (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT) and SIGPROF, so that handlers run on the
/// program's own threads. Returns 0 or an errno; `run` should ask this_native_thread() for what to join.
int start_thread(void* (*run)(void*), void* argument) noexcept;
using start_thread_function = int(void* (*run)(void*), void* argument) noexcept;

[[nodiscard]] native_thread this_native_thread() noexcept;
/// Waits for the thread's end and forgets it.
void join_thread(native_thread thread) noexcept;
/// For debuggers and ps; what is longer than 15 bytes is cut off.
void name_this_thread(const char* name) noexcept;
/// "of-which".
void name_this_thread(std::string_view of, const char* which) noexcept;

}  // namespace astd::detail
