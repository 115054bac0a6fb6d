// The operation table in io_uring's terms.
#pragma once

#include <astd/driver/operation.hpp>

#include <cstdint>

struct io_uring_sqe;

namespace astd::driver {

/// The kernel's number for the operation, whether this kernel knows it or not. Only for those that go to the ring:
/// nature socket, transfer, polling, blocking, and close.
[[nodiscard]] unsigned kernel_operation(opcode code) noexcept;

/// Writes `op` into `entry`; the completion will carry its address.
void translate(const operation& op, io_uring_sqe& entry) noexcept;

/// A one-shot poll for what `op` waits for; the completion will carry its address.
void translate_to_poll(const operation& op, io_uring_sqe& entry) noexcept;

}  // namespace astd::driver
