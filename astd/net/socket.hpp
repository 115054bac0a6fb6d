// Internal: a socket's descriptor and what can be done with it without waiting. No header of the system is needed here.
#pragma once

#include <astd/base/error.hpp>
#include <astd/net/socket_address.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <new>
#include <system_error>
#include <utility>

namespace astd::net::detail {

enum class socket_kind : unsigned char { stream, datagram };
/// Options that are one number; flags are 0 or 1.
enum class socket_option : unsigned char {
  reuse_address,
  reuse_port,
  broadcast,
  keep_alive,
  send_buffer,
  receive_buffer,
  pending_error,  // asking takes it away
  only_v6,
  // Of the socket's address family.
  time_to_live,
  type_of_service,
  // TCP.
  no_delay,
  quick_ack,
  keep_idle,      // seconds
  keep_interval,  // seconds
  keep_count,
  user_timeout,  // milliseconds
  // UDP.
  segment_size,
  coalesce,
  // Multicast.
  multicast_loop_v4,
  multicast_loop_v6,
  multicast_ttl_v4,
  multicast_hops_v6,
  multicast_interface_v6,
};

/// Owns a descriptor; its destructor closes it and never blocks. Closing, moving to or destroying it while an operation
/// on it is in flight is a programming error: the descriptor's number may stand for something else the next moment.
class socket {
 public:
  socket() noexcept = default;
  /// Takes over a descriptor that an operation of the driver made; -1 for none.
  explicit socket(int descriptor) noexcept : descriptor_(descriptor) {}
  socket(socket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), owners_(std::exchange(other.owners_, nullptr)) {}
  socket& operator=(socket&& other) noexcept {
    socket(std::move(other)).swap(*this);
    return *this;
  }
  ~socket() {
    if (descriptor_ >= 0 && is_last_owner()) close_socket(descriptor_);
  }
  void swap(socket& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(owners_, other.owners_);
  }
  /// Another owner of the same descriptor: the last of them closes it. The first call allocates. Not while another
  /// thread shares or moves this one.
  [[nodiscard]] socket share();
  [[nodiscard]] bool shares_with(const socket& other) const noexcept {
    return owners_ != nullptr && owners_ == other.owners_;
  }

  /// A new socket of the address family of `address`.
  static std::expected<socket, std::error_code> make(socket_kind what, const socket_address& address) noexcept;
  static void close_socket(int descriptor) noexcept;

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  /// The caller's from now on; -1 where others share it.
  [[nodiscard]] int release() noexcept {
    const bool last = is_last_owner();
    owners_ = nullptr;
    if (!last) descriptor_ = -1;
    return std::exchange(descriptor_, -1);
  }

  // Each gives the error, or none.
  std::error_code bind(const socket_address& address) const noexcept;
  std::error_code listen(int backlog) const noexcept;
  std::error_code set(socket_option which, int value) const noexcept;
  [[nodiscard]] std::expected<int, std::error_code> get(socket_option which) const noexcept;

  /// Where it is bound.
  [[nodiscard]] std::expected<socket_address, std::error_code> local_address() const noexcept;
  /// Whom it is connected to, or was, if the connection is broken meanwhile.
  [[nodiscard]] std::expected<socket_address, std::error_code> peer_address() const noexcept {
    return peer_of(descriptor_);
  }
  static std::expected<socket_address, std::error_code> peer_of(int descriptor) noexcept;
  static std::expected<socket_address, std::error_code> local_of(int descriptor) noexcept;

 private:
  [[nodiscard]] bool is_last_owner() noexcept;
  int descriptor_ = -1;
  std::atomic<int>* owners_ = nullptr;  // how many, if it was ever shared
};

// Options of the socket `descriptor`, for public functions: they throw a system_error that names `action` ("set nodelay")
// and the socket's address.
void set_option(int descriptor, socket_option which, int value, const char* action);
[[nodiscard]] int get_option(int descriptor, socket_option which, const char* action);
/// Seconds; -1 for none.
void set_linger(int descriptor, int seconds);
[[nodiscard]] int get_linger(int descriptor);
/// What lasts longer than the option can say is cut to the most it can; a negative time is std::errc::invalid_argument.
[[nodiscard]] int count_for_option(std::int64_t value) noexcept;
/// The error that waits at the socket, taken away.
[[nodiscard]] std::error_code take_error(int descriptor);

/// The value, or throws the error as a system_error that says what was asked for.
template <class T>
T value_or_throw(std::expected<T, std::error_code> result, const char* action) {
  if (!result) astd::detail::throw_failure({result.error(), action, "of a socket"});
  return *std::move(result);
}

}  // namespace astd::net::detail
