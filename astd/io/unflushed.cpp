#include <astd/coro/chain.hpp>
#include <astd/coro/lost.hpp>
#include <astd/io/error.hpp>
#include <astd/io/unflushed.hpp>

#include <cstdio>
#include <exception>

namespace astd::io::detail {

void unflushed_bytes::report_unflushed(const char* whose, std::size_t size) noexcept {
  if (std::uncaught_exceptions() > 0) return;
  const astd::detail::chain* const here = astd::detail::current_chain();
  if (here && here->cancel_requested()) return;
  char subject[96];
  std::snprintf(subject, sizeof subject, "%s destroyed with %zu bytes in it", whose, size);
  astd::detail::report_lost(failure(make_error_code(errc::not_flushed), subject), whose);
}

}  // namespace astd::io::detail
