#include <astd/driver/attempt.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/io/pipe.hpp>

#include <cerrno>

#include <poll.h>

namespace astd::io::detail {
namespace {

poll_result<std::size_t> attempt(driver::opcode what, int descriptor, void* data, std::size_t size) noexcept {
  if (size == 0) return std::size_t{0};
  driver::operation op;
  op.code = what;
  op.fd = descriptor;
  op.args.transfer = {data, size, 0, -1};
  driver::sim::machine* const simulated = driver::sim::machine::here();
  const std::int32_t result = simulated ? simulated->try_now(op) : driver::attempt_stream(op);
  if (result == driver::not_yet || (simulated && result == -EAGAIN)) return not_ready;
  if (result < 0) return std::error_code(-result, std::system_category());
  return static_cast<std::size_t>(result);
}

}  // namespace

io_awaitable<descriptor_poll> pipe_ready(os::native_handle descriptor, pipe_event what, const char* name) noexcept {
  return poll(descriptor, what == pipe_event::readable ? POLLIN : POLLOUT, name);
}

poll_result<std::size_t> try_read_from(os::native_handle descriptor, mutable_bytes buffer) noexcept {
  return attempt(driver::opcode::read, descriptor, buffer.data(), buffer.size());
}

poll_result<std::size_t> try_write_to(os::native_handle descriptor, const_bytes buffer) noexcept {
  return attempt(driver::opcode::write, descriptor, const_cast<std::byte*>(buffer.data()), buffer.size());
}

}  // namespace astd::io::detail
