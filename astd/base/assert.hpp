// Assertions for programming errors of the caller: awaiting a task twice, unlocking what is not locked.
// Bad input is never an assertion: it is an error value.
#pragma once

#include <astd/base/config.hpp>

#include <source_location>

namespace astd::detail {

/// Prints "astd: file:line: message" to standard error and aborts.
[[noreturn]] ASTD_NOINLINE void assertion_failed(
    const char* message, std::source_location where = std::source_location::current()) noexcept;

}  // namespace astd::detail

// On unless NDEBUG; ASTD_ASSERTIONS=1 or 0 decides otherwise.
#ifndef ASTD_ASSERTIONS
#ifdef NDEBUG
#define ASTD_ASSERTIONS 0
#else
#define ASTD_ASSERTIONS 1
#endif
#endif

#if ASTD_ASSERTIONS
#define ASTD_ASSERT(condition, message) ((condition) ? void() : ::astd::detail::assertion_failed(message))
#else
#define ASTD_ASSERT(condition, message) void()
#endif
