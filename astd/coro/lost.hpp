// Exceptions and failures that nobody is left to receive: a detached task's, a cleanup's after cancellation.
//
//   astd::set_lost_exception_handler([](std::exception_ptr, std::string_view whose) noexcept { log(whose); });
#pragma once

#include <astd/coro/outcome.hpp>

#include <exception>
#include <string_view>

namespace astd {

/// Called with what would be lost and whose it was ("task 'reader' (id 7)"). On the thread where it happened; must not
/// throw.
using lost_exception_handler = void (*)(std::exception_ptr exception, std::string_view whose) noexcept;

/// Sets the handler for exceptions and failures that leave a detached task, or a cleanup that nobody awaits any more.
/// Process-wide; null restores the default, which prints one line to standard error. Returns the previous one. Any
/// thread.
lost_exception_handler set_lost_exception_handler(lost_exception_handler handler) noexcept;

namespace detail {

void report_lost(std::exception_ptr exception, std::string_view whose) noexcept;
void report_lost(failure f, std::string_view whose) noexcept;

template <class T>
void report_lost(outcome<T>& o, std::string_view whose) noexcept {
  if (o.what() == outcome<T>::kind::thrown) report_lost(std::move(o.exception()), whose);
  if (o.what() == outcome<T>::kind::failed) report_lost(std::move(o.error()), whose);
}

}  // namespace detail
}  // namespace astd
