#include <astd/base/error.hpp>
#include <astd/os/pipe.hpp>
#include <astd/runtime/perform_now.hpp>

#include <fcntl.h>

namespace astd::os {

std::pair<pipe_reader, pipe_writer> pipe() {
  int ends[2];
  driver::operation op;
  op.code = driver::opcode::pipe;
  op.args.pair = {ends, 0, O_NONBLOCK, 0};
  astd::detail::perform_now(op);
  if (op.result < 0) astd::detail::throw_failure(failure({-op.result, std::system_category()}, "pipe"));
  return {pipe_reader::from_native_handle(ends[0]), pipe_writer::from_native_handle(ends[1])};
}

}  // namespace astd::os
