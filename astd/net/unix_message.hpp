// Internal: messages of local sockets, with addresses and descriptors.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/io/buffer.hpp>
#include <astd/io/io_awaitable.hpp>
#include <astd/io/native_handle.hpp>
#include <astd/io/poll_result.hpp>
#include <astd/net/native_socket.hpp>
#include <astd/net/socket.hpp>
#include <astd/net/unix_address.hpp>
#include <astd/runtime/io_operation.hpp>

#include <cstddef>
#include <expected>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace astd::net {

/// What came with descriptors.
struct received_handles {
  std::size_t size = 0;                   // bytes; on a stream 0 is the end
  std::vector<os::owned_handle> handles;  // ours now, close-on-exec
  bool truncated = false;                 // there were more than asked for: those are closed
};

/// Who is at the other end, as the system saw it when the connection was made.
struct unix_credentials {
  int process_id;
  unsigned user_id;
  unsigned group_id;
  friend bool operator==(const unix_credentials&, const unix_credentials&) noexcept = default;
};

namespace detail {

enum class unix_kind : unsigned char { stream, datagram, packets };

/// A message in the system's form, which no header shows; it stays where it is.
class unix_message {
 public:
  /// The most that the system passes at once.
  static constexpr std::size_t most_handles = 253;
  unix_message() noexcept = default;
  unix_message(const unix_message&) = delete;
  unix_message& operator=(const unix_message&) = delete;

  void prepare(const void* data, std::size_t size) noexcept;
  void to(const unix_address& address) noexcept;
  void attach(std::span<const os::native_handle> handles) noexcept;
  void make_room(bool for_address, bool for_handles) noexcept;
  [[nodiscard]] msghdr* header() noexcept;
  [[nodiscard]] unix_address sender() noexcept;
  /// Those that have come: the first `most`; the rest is closed.
  void take_handles(std::size_t most, std::vector<os::owned_handle>& to, bool& truncated);
  void drop_handles() noexcept;

 private:
  alignas(8) std::byte header_[56];
  alignas(8) std::byte piece_[16];
  alignas(8) std::byte address_[112];
  alignas(8) std::byte control_[1032];
};

class unix_send_awaiter final : public astd::detail::io_awaiter<unix_send_awaiter, std::size_t> {
 public:
  struct arguments {
    arguments(int fd, io::const_bytes bytes, const unix_address* receiver, std::span<const os::native_handle> with,
              bool by_a_byte = false) noexcept
        : descriptor(fd), buffer(bytes), handles(with), needs_a_byte(by_a_byte) {
      if (receiver) to = *receiver;
    }
    int descriptor;
    io::const_bytes buffer;
    unix_address to;
    std::span<const os::native_handle> handles;
    bool needs_a_byte;  // a stream has no messages: without one, the descriptors would not go out
  };
  explicit unix_send_awaiter(const arguments& a) noexcept;
  astd::detail::outcome<std::size_t> take();

 private:
  unix_address to_;
  const char* refused_ = nullptr;  // why it is not even tried
  unix_message message_;
};

class unix_recv_from_awaiter final
    : public astd::detail::io_awaiter<unix_recv_from_awaiter, std::pair<std::size_t, unix_address>> {
 public:
  struct arguments {
    arguments(int fd, io::mutable_bytes bytes) noexcept : descriptor(fd), buffer(bytes) {}
    int descriptor;
    io::mutable_bytes buffer;
  };
  explicit unix_recv_from_awaiter(const arguments& a) noexcept;
  astd::detail::outcome<value_type> take();

 private:
  unix_message message_;
};

class unix_recv_handles_awaiter final
    : public astd::detail::io_awaiter<unix_recv_handles_awaiter, received_handles> {
 public:
  struct arguments {
    arguments(int fd, io::mutable_bytes bytes, std::size_t handles, bool is_nothing = false) noexcept
        : descriptor(fd), buffer(bytes), most(handles), nothing(is_nothing) {}
    int descriptor;
    io::mutable_bytes buffer;
    std::size_t most;
    bool nothing;  // done without a system call: no byte of a stream is wanted
  };
  explicit unix_recv_handles_awaiter(const arguments& a) noexcept;
  ~unix_recv_handles_awaiter();
  bool await_ready() const noexcept { return nothing_; }
  astd::detail::outcome<value_type> take();

 private:
  const std::size_t most_;
  const bool nothing_;
  bool taken_ = false;
  unix_message message_;
};

using unix_send_awaitable = io::detail::io_awaitable<unix_send_awaiter>;
using unix_recv_handles_awaitable = io::detail::io_awaitable<unix_recv_handles_awaiter>;

// Each gives the error, or what was asked for.
std::expected<socket, std::error_code> make_unix(unix_kind what) noexcept;
std::expected<std::pair<socket, socket>, std::error_code> make_unix_pair(unix_kind what) noexcept;
std::error_code bind_unix(const socket& s, const unix_address& address) noexcept;
unix_address unix_local(int descriptor);
unix_address unix_peer(int descriptor);
/// Unnamed if the connection is broken already.
unix_address unix_peer_or_none(int descriptor) noexcept;
unix_credentials unix_peer_credentials(int descriptor);

/// Makes a public socket of one of ours.
struct unix_maker {
  template <class S>
  static S make(socket s) noexcept {
    return S(std::move(s));
  }
};

/// Waits while the listener's queue is full. `s` outlives it.
task<> connect_unix(const socket& s, unix_address to);

}  // namespace detail
}  // namespace astd::net
