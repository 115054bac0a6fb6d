// Internal: the system's handle of a socket, as members of the public types.
#pragma once

#include <astd/io/native_handle.hpp>
#include <astd/net/socket.hpp>

#include <utility>

namespace astd::net::detail {

/// Puts it in non-blocking mode; the drivers forget what they knew of the number.
socket adopt_socket(os::native_handle handle) noexcept;

/// `Socket` has a member socket_, and a constructor from one.
template <class Socket>
class native_socket {
 public:
  /// Still ours: not to be closed.
  [[nodiscard]] os::native_handle as_native_handle() const noexcept { return self().socket_.descriptor(); }
  /// The caller's from now on, in non-blocking mode; os::no_handle if halves of a stream share it. Nothing is in flight
  /// on it.
  [[nodiscard]] os::native_handle into_native_handle() && noexcept {
    return const_cast<Socket&>(self()).socket_.release();
  }
  /// Takes over a socket of the kind (which nobody checks), in whatever state and mode it is; it is put in non-blocking
  /// mode.
  [[nodiscard]] static Socket from_native_handle(os::native_handle handle) noexcept {
    return Socket(adopt_socket(handle));
  }

 private:
  [[nodiscard]] const Socket& self() const noexcept { return static_cast<const Socket&>(*this); }
};

}  // namespace astd::net::detail
