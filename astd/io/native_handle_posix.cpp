#include <astd/driver/driver.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/io/descriptor_operations.hpp>
#include <astd/io/native_handle.hpp>
#include <astd/runtime/perform_now.hpp>

#include <cstdio>

#include <fcntl.h>

namespace astd::io::detail {

void close_descriptor(os::native_handle descriptor) noexcept {
  driver::operation op;
  op.code = driver::opcode::close;
  op.fd = descriptor;
  op.args.value = 0;
  astd::detail::perform_now(op);
}

void set_blocking(os::native_handle descriptor, bool on) noexcept {
  // A simulated one waits or does not as its operations say; the number may be that of another thing here.
  if (driver::sim::machine::here()) return;
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0) return;
  const int wanted = on ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  if (wanted != flags) ::fcntl(descriptor, F_SETFL, wanted);
}

failure descriptor_failure(std::error_code error, const char* action, const char* subject,
                           int descriptor) noexcept {
  if (subject) return failure(error, action, subject);
  char text[32];
  std::snprintf(text, sizeof text, "descriptor %d", descriptor);
  return failure(error, action, text);
}

void adopt_descriptor(os::native_handle descriptor) noexcept { driver::adopt(descriptor); }

}  // namespace astd::io::detail
