#include <astd/process/exit_status.hpp>

#include <fmt/format.h>

#include <cstring>

namespace astd::process {

std::string exit_status::to_string() const {
  if (!by_signal_) return fmt::format("exit code {}", value_);
  const char* const name = ::sigdescr_np(value_);
  return fmt::format("signal {}{}{}{}{}", value_, name ? " (" : "", name ? name : "", name ? ")" : "",
                     dumped_ ? ", core dumped" : "");
}

}  // namespace astd::process

fmt::format_context::iterator fmt::formatter<astd::process::exit_status>::format(
    const astd::process::exit_status& status, fmt::format_context& context) const {
  return fmt::formatter<fmt::string_view>::format(status.to_string(), context);
}
