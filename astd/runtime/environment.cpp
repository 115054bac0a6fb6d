#include <astd/runtime/core.hpp>
#include <astd/runtime/runtime.hpp>

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

namespace astd {
namespace {

[[noreturn]] void refuse(const char* variable, std::string_view value, const char* wanted) {
  detail::throw_failure(failure(std::make_error_code(std::errc::invalid_argument), variable,
                                "= '" + std::string(value) + "', but it must be " + wanted));
}

}  // namespace

runtime_options runtime_options::from_environment() {
  runtime_options options;
  if (const char* text = std::getenv("ASTD_THREAD_COUNT")) {
    const std::string_view value = text;
    unsigned n = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
    if (error != std::errc() || end != value.data() + value.size() || n < 1 || n > 512)
      refuse("ASTD_THREAD_COUNT", value, "a number from 1 to 512");
    options.workers = n;
  }
  if (const char* text = std::getenv("ASTD_THREAD_NAME")) {
    if (!*text) refuse("ASTD_THREAD_NAME", text, "a name");
    options.name = text;
  }
  options.driver = detail::driver_from_environment();
  return options;
}

driver::choice detail::driver_from_environment() {
  driver::choice result = driver::choice::automatic;
  if (const char* text = std::getenv("ASTD_DRIVER"))
    if (!driver::parse_choice(text, result)) refuse("ASTD_DRIVER", text, "auto, uring, epoll or sim");
  return result;
}

}  // namespace astd
