// Internal: io::copy() without passing through our memory.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/buffer.hpp>
#include <astd/io/kernel_end.hpp>

#include <cstdint>

namespace astd::io::detail {

/// Copies as long as that is quicker than through a buffer, and adds to `copied`. True: that was the end. False: go on
/// with the buffer; for good if `useless` was set. `scratch`: memory for whatever.
task<bool> copy_in_kernel(kernel_end from, kernel_end to, std::uint64_t& copied, mutable_bytes scratch,
                          bool& useless);

}  // namespace astd::io::detail
