// Internal: a socket's descriptor and what can be done with it without waiting. No header of the system is needed here.
#pragma once

#include <astd/base/error.hpp>
#include <astd/net/socket_address.hpp>

#include <expected>
#include <system_error>
#include <utility>

namespace astd::net::detail {

enum class socket_kind : unsigned char { stream, datagram };
enum class socket_flag : unsigned char { reuse_address, no_delay };

/// Owns a descriptor; its destructor closes it and never blocks. Closing, moving to or destroying it while an operation
/// on it is in flight is a programming error: the descriptor's number may stand for something else the next moment.
class socket {
 public:
  socket() noexcept = default;
  /// Takes over a descriptor that an operation of the driver made; -1 for none.
  explicit socket(int descriptor) noexcept : descriptor_(descriptor) {}
  socket(socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  socket& operator=(socket&& other) noexcept {
    socket(std::move(other)).swap(*this);
    return *this;
  }
  ~socket() {
    if (descriptor_ >= 0) close_socket(descriptor_);
  }
  void swap(socket& other) noexcept { std::swap(descriptor_, other.descriptor_); }

  /// A new socket of the address family of `address`.
  static std::expected<socket, std::error_code> make(socket_kind what, const socket_address& address) noexcept;
  static void close_socket(int descriptor) noexcept;

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  // Each gives the error, or none.
  std::error_code bind(const socket_address& address) const noexcept;
  std::error_code listen(int backlog) const noexcept;
  std::error_code set(socket_flag flag, bool on) const noexcept;
  [[nodiscard]] std::expected<bool, std::error_code> get(socket_flag flag) const noexcept;

  /// Where it is bound.
  [[nodiscard]] std::expected<socket_address, std::error_code> local_address() const noexcept;
  /// Whom it is connected to, or was, if the connection is broken meanwhile.
  [[nodiscard]] std::expected<socket_address, std::error_code> peer_address() const noexcept {
    return peer_of(descriptor_);
  }
  static std::expected<socket_address, std::error_code> peer_of(int descriptor) noexcept;
  static std::expected<socket_address, std::error_code> local_of(int descriptor) noexcept;

 private:
  int descriptor_ = -1;
};

/// The value, or throws the error as a system_error that says what was asked for.
template <class T>
T value_or_throw(std::expected<T, std::error_code> result, const char* action) {
  if (!result) astd::detail::throw_failure({result.error(), action, "of a socket"});
  return *std::move(result);
}

}  // namespace astd::net::detail
