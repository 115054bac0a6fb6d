#include <astd/base/assert.hpp>

#include <cstdio>
#include <cstdlib>

namespace astd::detail {

void assertion_failed(const char* message, std::source_location where) noexcept {
  std::fprintf(stderr, "astd: %s:%u: %s\n", where.file_name(), static_cast<unsigned>(where.line()), message);
  std::abort();
}

}  // namespace astd::detail
