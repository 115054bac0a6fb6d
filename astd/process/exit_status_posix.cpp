#include <astd/process/exit_status.hpp>

#include <cstring>

namespace astd::process {

std::string exit_status::to_string() const {
  if (!by_signal_) return fmt::format("exit code {}", value_);
  const char* const name = ::sigdescr_np(value_);
  return fmt::format("signal {}{}{}{}{}", value_, name ? " (" : "", name ? name : "", name ? ")" : "",
                     dumped_ ? ", core dumped" : "");
}

}  // namespace astd::process
