// Single system calls that never block, for whoever waits for readiness: the epoll driver always, the ring where the
// kernel leaves it to us.
#pragma once

#include <astd/driver/operation.hpp>

#include <cstdint>

namespace astd::driver {

/// "It would have blocked; nothing happened." Not an errno and not a result.
inline constexpr std::int32_t not_yet = INT32_MIN;

/// What an operation needs, and so who can do it.
enum class nature : std::uint8_t {
  immediate,  // cannot block: perform() on the spot
  closing,    // close
  socket,     // attempt_socket()
  transfer,   // read and write of anything: attempt_file() or attempt_stream()
  polling,    // poll: attempt_poll()
  blocking,   // may block and has no other way: perform() on the blocking pool
};
[[nodiscard]] nature nature_of(opcode code) noexcept;

/// Whether the operation waits for readability; otherwise for writability.
[[nodiscard]] bool is_input(opcode code) noexcept;

/// Whether the submitter said MSG_DONTWAIT, or that for an accept: -EAGAIN is then a result.
[[nodiscard]] bool wants_no_wait(const operation& op) noexcept;

/// accept, connect, recv, send, recvmsg, sendmsg, recvmmsg, sendmmsg, splice_in, splice_out, sendfile, readable, writable.
/// `again`: a repeated attempt, after the kernel has said that it is worth while (a connect goes on; whoever waits for
/// just that is served).
[[nodiscard]] std::int32_t attempt_socket(operation& op, bool again) noexcept;

/// poll: the events that hold, or not_yet.
[[nodiscard]] std::int32_t attempt_poll(operation& op) noexcept;

/// read, write, readv, writev of a regular file, from and to the page cache alone. not_yet also where the file system
/// cannot tell.
[[nodiscard]] std::int32_t attempt_file(operation& op) noexcept;
/// Whether it is one that attempt_file() must be spared: it would wait for the disk, whatever RWF_NOWAIT asks for (seen
/// on Linux 6.18).
[[nodiscard]] bool is_past_the_cache(const operation& op) noexcept;
/// `fd` has just been opened with these flags: spares is_past_the_cache() a call.
void note_opened(int fd, int flags) noexcept;

/// read, write, readv, writev of a pipe, a terminal, an eventfd..., whether it is in non-blocking mode or not (that
/// is shared with other processes, so it is not ours to change). Never raises SIGPIPE.
[[nodiscard]] std::int32_t attempt_stream(operation& op) noexcept;

/// read, write, readv, writev by one plain call: blocks where the descriptor is in blocking mode, else not_yet.
/// Never raises SIGPIPE.
[[nodiscard]] std::int32_t transfer_once(operation& op) noexcept;

/// Whether `op` is a transfer at the descriptor's own position: the descriptor may be something else than a file.
[[nodiscard]] bool at_own_position(const operation& op) noexcept;

/// pwritev2's RWF_NOSIGNAL if the kernel has it (6.18), else 0.
[[nodiscard]] int no_signal_flag() noexcept;

/// Whether writing to `fd` can raise SIGPIPE.
[[nodiscard]] bool may_raise_sigpipe(int fd) noexcept;

}  // namespace astd::driver
