// Awaiting any descriptor: of another library, of the kernel's stranger kinds.
//
//   os::async_fd device(::open("/dev/input/event0", O_RDONLY | O_NONBLOCK));
//   for (;;) {
//     co_await device.readable();
//     while (::read(device.get(), &event, sizeof event) == sizeof event) use(event);
//   }
#pragma once

#include <astd/io/buffer.hpp>
#include <astd/io/descriptor_operations.hpp>
#include <astd/io/native_handle.hpp>
#include <astd/io/pipe.hpp>
#include <astd/io/poll_result.hpp>

#include <cstddef>
#include <utility>

namespace astd::os {

/// Owns a descriptor of whatever kind, in whatever mode, and awaits and moves its bytes. Several tasks may wait, on any
/// threads. Not destroyed, moved to or released while an operation is in flight.
class async_fd {
 public:
  /// Takes over `handle`, which the destructor closes; that must not block. `name` is for errors, and lives as long as it:
  /// usually a literal. Without one they say "descriptor 7".
  explicit async_fd(native_handle handle, const char* name = nullptr) noexcept : handle_(handle), name_(name) {
    io::detail::adopt_descriptor(handle);
  }

  /// Waits until there is something to read, the end, or an error: the next call tells. Nothing is remembered: what is
  /// left unread makes it ready again. A regular file is always ready where the driver does not refuse it
  /// (std::errc::operation_not_permitted). Cancelling it leaves no trace.
  [[nodiscard]] auto readable() noexcept {
    return io::detail::pipe_ready(handle_.get(), io::detail::pipe_event::readable, name_);
  }
  /// The same for writing.
  [[nodiscard]] auto writable() noexcept {
    return io::detail::pipe_ready(handle_.get(), io::detail::pipe_event::writable, name_);
  }
  /// Waits for any of `events`, POLLIN, POLLPRI and so on, and gives those that hold; POLLERR and POLLHUP are always
  /// among what is waited for.
  [[nodiscard]] auto ready(int events) noexcept { return io::detail::poll(handle_.get(), events, name_); }

  /// As io::reader and io::writer have it, at the descriptor's own position.
  [[nodiscard]] auto read(io::mutable_bytes buffer) noexcept {
    return io::detail::read_from(handle_.get(), buffer, name_);
  }
  [[nodiscard]] auto write(io::const_bytes buffer) noexcept {
    return io::detail::write_to(handle_.get(), buffer, name_);
  }
  io::poll_result<std::size_t> try_read(io::mutable_bytes buffer) noexcept {
    return io::detail::try_read_from(handle_.get(), buffer);
  }
  io::poll_result<std::size_t> try_write(io::const_bytes buffer) noexcept {
    return io::detail::try_write_to(handle_.get(), buffer);
  }

  /// Still ours.
  [[nodiscard]] native_handle get() const noexcept { return handle_.get(); }
  [[nodiscard]] native_handle as_native_handle() const noexcept { return handle_.get(); }
  /// The caller's from now on.
  [[nodiscard]] native_handle into_native_handle() && noexcept { return handle_.release(); }
  [[nodiscard]] static async_fd from_native_handle(native_handle handle) noexcept { return async_fd(handle); }

 private:
  owned_handle handle_;
  const char* name_;
};

}  // namespace astd::os
