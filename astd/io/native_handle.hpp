// What the system calls things by, and owning it.
#pragma once

#include <utility>

namespace astd::os {

/// What the system calls an open file, socket or pipe by. POSIX: a file descriptor.
using native_handle = int;
inline constexpr native_handle no_handle = -1;

}  // namespace astd::os

namespace astd::io::detail {

/// Closes `descriptor`, which cannot block: a pipe, a pidfd, an eventfd. On any thread.
void close_descriptor(os::native_handle descriptor) noexcept;
/// In non-blocking mode or not: for everybody who has it open.
void set_blocking(os::native_handle descriptor, bool on) noexcept;
/// The drivers are to forget what they knew of this number.
void adopt_descriptor(os::native_handle descriptor) noexcept;

/// Owns a descriptor. Closing, moving to or destroying it while an operation on it is in flight is a programming error.
class owned_handle {
 public:
  owned_handle() noexcept = default;
  explicit owned_handle(os::native_handle descriptor) noexcept : descriptor_(descriptor) {}
  owned_handle(owned_handle&& other) noexcept : descriptor_(other.release()) {}
  owned_handle& operator=(owned_handle&& other) noexcept {
    owned_handle(std::move(other)).swap(*this);
    return *this;
  }
  ~owned_handle() { reset(); }
  void swap(owned_handle& other) noexcept { std::swap(descriptor_, other.descriptor_); }
  void reset() noexcept {
    if (const os::native_handle gone = release(); gone >= 0) close_descriptor(gone);
  }
  [[nodiscard]] os::native_handle release() noexcept { return std::exchange(descriptor_, os::no_handle); }
  [[nodiscard]] os::native_handle get() const noexcept { return descriptor_; }
  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }

 private:
  os::native_handle descriptor_ = os::no_handle;
};

}  // namespace astd::io::detail

namespace astd::os {

/// Owns a native handle that nothing is known of, such as one that came through a socket: `get()`, `release()`, `reset()`.
/// The destructor closes it.
using owned_handle = io::detail::owned_handle;

}  // namespace astd::os
