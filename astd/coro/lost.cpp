#include <astd/coro/lost.hpp>

#include <atomic>
#include <cstdio>

namespace astd {
namespace {

void print(std::exception_ptr exception, std::string_view whose) noexcept {
  char text[512];
  detail::describe_exception(exception, text, sizeof text);
  std::fprintf(stderr, "astd: %.*s ended with an exception that nobody awaits: %s\n",
               static_cast<int>(whose.size()), whose.data(), text);
}

constinit std::atomic<lost_exception_handler> current{&print};

}  // namespace

lost_exception_handler set_lost_exception_handler(lost_exception_handler handler) noexcept {
  return current.exchange(handler ? handler : &print, std::memory_order_acq_rel);
}

namespace detail {

void report_lost(std::exception_ptr exception, std::string_view whose) noexcept {
  current.load(std::memory_order_acquire)(std::move(exception), whose);
}

void report_lost(failure f, std::string_view whose) noexcept {
#if ASTD_HAS_EXCEPTIONS
  std::exception_ptr thrown;
  try {
    throw_failure(std::move(f));
  } catch (...) {  // the failure; or that there is no memory for its text
    thrown = std::current_exception();
  }
  report_lost(std::move(thrown), whose);
#else
  std::fprintf(stderr, "astd: %.*s failed and nobody awaits it: %.*s: %s\n", static_cast<int>(whose.size()),
               whose.data(), static_cast<int>(f.subject().size()), f.subject().data(), f.code().message().c_str());
#endif
}

}  // namespace detail
}  // namespace astd
