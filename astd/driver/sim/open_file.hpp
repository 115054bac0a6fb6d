// What a descriptor of a simulated machine stands for: a socket, a file, a standard stream.
#pragma once

#include <astd/driver/operation.hpp>

#include <cerrno>
#include <cstdint>
#include <memory>

namespace astd::driver::sim {

/// "It waits; it ends by world::finish()." No errno and no result.
inline constexpr std::int32_t pending = INT32_MIN;

struct inode;

class open_file {
 public:
  open_file() = default;
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  /// The last number for it is gone: no operation is pending here. What goes on behind it (a connection that is still to
  /// deliver what was sent) lives elsewhere.
  virtual ~open_file() = default;

  /// Carries out `op`, whose descriptor this is: its result (a negated errno, as the kernel's: -ENOTSOCK for what this
  /// kind of thing does not do), or `pending`: it is then in a list here until it ends or is cancelled. `result` must not
  /// be pending where wants_no_wait(op) (attempt.hpp) or the code is one that cannot block.
  [[nodiscard]] virtual std::int32_t start(operation& op) noexcept = 0;
  /// The same of a read, a write or a poll, without waiting: -EAGAIN. For what programs try without a loop: pipes.
  [[nodiscard]] virtual std::int32_t try_now(operation&) noexcept { return -ENOSYS; }
  /// `op` is pending here and is to end: takes it out of its list and ends it by world::finish() with -ECANCELED. What
  /// a disk has begun may go on instead and end with its result. An accept_many is told by world::report(), and ends by
  /// next_connection().
  virtual void cancel(operation& op) noexcept = 0;
  /// accept_many: see driver::next_connection().
  [[nodiscard]] virtual std::int32_t next_connection(operation& op) noexcept = 0;
  /// What it is on the disk; null: it is no file or directory there.
  [[nodiscard]] virtual std::shared_ptr<inode> on_disk() const noexcept { return nullptr; }
  /// The machine has crashed: ends what is pending (with -ECANCELED); what was not on its way yet never will be.
  virtual void crash() noexcept = 0;
};

}  // namespace astd::driver::sim
