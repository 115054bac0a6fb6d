// What astd has to know about the compiler it is built with: the one place for compiler conditionals.
// Each entry says which defect or feature it answers and, for a defect, the version that cures it.
#pragma once

#include <cstddef>

// Floors 0 and 1 work without exceptions; a failure that nobody asked for as a value then ends the program
// with a message (see error.hpp).
#if defined(__cpp_exceptions)
#define ASTD_HAS_EXCEPTIONS 1
#else
#define ASTD_HAS_EXCEPTIONS 0
#endif

// AddressSanitizer has to see every frame's end: no frame is pooled under it.
#if defined(__SANITIZE_ADDRESS__)
#define ASTD_ADDRESS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASTD_ADDRESS_SANITIZED 1
#endif
#endif
#ifndef ASTD_ADDRESS_SANITIZED
#define ASTD_ADDRESS_SANITIZED 0
#endif

// ThreadSanitizer has a clone() of its own, which takes every child for a copy of the process.
#if defined(__SANITIZE_THREAD__)
#define ASTD_THREAD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ASTD_THREAD_SANITIZED 1
#endif
#endif
#ifndef ASTD_THREAD_SANITIZED
#define ASTD_THREAD_SANITIZED 0
#endif

// Sanitizers turn tail calls off on GCC, and slow the stress tests down everywhere.
#if ASTD_ADDRESS_SANITIZED || ASTD_THREAD_SANITIZED
#define ASTD_SANITIZED 1
#else
#define ASTD_SANITIZED 0
#endif

// Symmetric transfer is a real tail call on Clang at every optimisation level. GCC makes one only where it
// optimises sibling calls and no sanitizer runs (PR 94794, PR 100897; tail calls at -O0 are not planned), which
// the macros of the compiler do not tell: our CMake target does. Without it a transfer goes through the
// trampoline of resumable.hpp: the stack does not grow either way.
#if defined(__clang__)
#define ASTD_HAS_TAIL_CALLS 1
#elif defined(ASTD_ASSUME_TAIL_CALLS) && defined(__OPTIMIZE__) && !ASTD_SANITIZED
#define ASTD_HAS_TAIL_CALLS 1
#else
#define ASTD_HAS_TAIL_CALLS 0
#endif

// Clang makes a tail call of any call when told to, or says why it cannot; GCC learns that in version 15, and is not
// asked for it even there.
#if defined(__clang__)
#define ASTD_HAS_MUST_TAIL 1
#define ASTD_MUST_TAIL [[clang::musttail]]
#else
#define ASTD_HAS_MUST_TAIL 0
#endif

// Whether an empty `asm` can hide a value's origin from the optimiser.
#if defined(__GNUC__) || defined(__clang__)
#define ASTD_HAS_GNU_ASM 1
#else
#define ASTD_HAS_GNU_ASM 0
#endif

// Tells the processor that `address` is soon written to. Any will do, also one where nothing is any more.
#if defined(__GNUC__) || defined(__clang__)
#define ASTD_PREFETCH(address) __builtin_prefetch(address, 1)
#else
#define ASTD_PREFETCH(address) ((void)(address))
#endif

// GCC 12 loses sight of whether an std::optional holds something when much is inlined around it, and warns that what is not
// there is read (-Wmaybe-uninitialized). Told that `object` may have been written, it does not.
#if defined(__GNUC__) && !defined(__clang__)
#define ASTD_MAY_BE_WRITTEN(object) asm("" : "+m"(object))
#else
#define ASTD_MAY_BE_WRITTEN(object) static_cast<void>(object)
#endif

// GCC 12 at -O3 takes the copying of a fill character inside fmt 9 for an overflow, which fmt rules out before. Around
// the function that does it; the warning comes back after it.
#if defined(__GNUC__) && !defined(__clang__)
#define ASTD_FALSE_OVERFLOW_BEGIN \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wstringop-overflow\"")
#define ASTD_FALSE_OVERFLOW_END _Pragma("GCC diagnostic pop")
#else
#define ASTD_FALSE_OVERFLOW_BEGIN
#define ASTD_FALSE_OVERFLOW_END
#endif

// Clang 20 and later place the frame of a task that is awaited on the spot inside the awaiting frame.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::coro_await_elidable)
#define ASTD_CORO_ELIDABLE [[clang::coro_await_elidable]]
#endif
// With ASTD_STRICT_LIFETIMES, Clang 18 and later warn where a coroutine's parameter or capture dies before it. Not the
// default: under these attributes every function that returns a task without being a coroutine is an error until it is
// marked, those of std::function and std::invoke included, which nobody can mark.
#if defined(ASTD_STRICT_LIFETIMES) && __has_cpp_attribute(clang::coro_lifetimebound)
#define ASTD_CORO_LIFETIME [[clang::coro_return_type, clang::coro_lifetimebound]]
#define ASTD_CORO_WRAPPER [[clang::coro_wrapper]]
#endif
#endif
#ifndef ASTD_CORO_ELIDABLE
#define ASTD_CORO_ELIDABLE
#endif
#ifndef ASTD_CORO_LIFETIME
#define ASTD_CORO_LIFETIME
#endif
/// Marks a plain function that returns a task it did not write itself (Clang would take it for a mistake).
#ifndef ASTD_CORO_WRAPPER
#define ASTD_CORO_WRAPPER
#endif

// Thread-local addresses may be kept across a suspension and then belong to another thread (LLVM #47179, #63022,
// #111257).
//
// Whatever touches a thread_local stays out of line, so that no coroutine ever holds its address.
#if defined(_MSC_VER) && !defined(__clang__)
#define ASTD_NOINLINE __declspec(noinline)
#else
#define ASTD_NOINLINE [[gnu::noinline]]
#endif

namespace astd::detail {

// What two threads write should lie this far apart. 128: adjacent lines are fetched in pairs on x86.
inline constexpr std::size_t cache_line_pair = 128;
inline constexpr std::size_t cache_line = 64;

}  // namespace astd::detail
