// Internal: bytes into and out of a socket.
#pragma once

#include <astd/io/buffer.hpp>
#include <astd/io/io_awaitable.hpp>
#include <astd/io/poll_result.hpp>
#include <astd/runtime/io_operation.hpp>

#include <cstddef>
#include <span>

namespace astd::net::detail {

/// recv or send. On a stream an empty buffer is done without a system call; on a datagram socket it is a datagram.
class socket_transfer final : public astd::detail::io_awaiter<socket_transfer, std::size_t> {
 public:
  struct arguments {
    arguments(driver::opcode recv_or_send, int fd, const void* bytes, std::size_t count, bool is_stream,
              int with_flags = 0) noexcept
        : what(recv_or_send),
          stream(is_stream),
          descriptor(fd),
          flags(with_flags),
          data(const_cast<void*>(bytes)),
          size(count) {}
    driver::opcode what;
    bool stream;
    int descriptor, flags;
    void* data;
    std::size_t size;
  };

  explicit socket_transfer(const arguments& a) noexcept : io_awaiter(a.what, a.descriptor), stream_(a.stream) {
    args.transfer = {a.data, a.size, a.flags, 0};
  }
  bool await_ready() const noexcept { return stream_ && args.transfer.size == 0; }
  astd::detail::outcome<std::size_t> take() {
    resumed();
    if (failed()) [[unlikely]]
      return refused();
    astd::detail::outcome<std::size_t> bytes;
    bytes.set_value(static_cast<std::size_t>(result()));
    return bytes;
  }

 private:
  failure refused() const;
  bool stream_;
};

using transfer_awaitable = io::detail::io_awaitable<socket_transfer>;

/// For a recv that leaves what it shows.
extern const int peek_flag;

/// recv and send on the spot; see io::try_reader. On a stream an empty buffer is done without a system call.
io::poll_result<std::size_t> try_receive(int descriptor, io::mutable_bytes buffer, bool stream,
                                         int flags = 0) noexcept;
io::poll_result<std::size_t> try_send(int descriptor, io::const_bytes data, bool stream) noexcept;

class socket;
/// accept on the spot.
io::poll_result<socket> try_accept(int descriptor) noexcept;

/// Several buffers as the system wants them, which no header shows. As many as it has room for; those that are empty
/// need none. More are left for the next call.
class buffer_list {
 public:
  explicit buffer_list(std::span<const io::mutable_bytes> buffers) noexcept;
  explicit buffer_list(std::span<const io::const_bytes> buffers) noexcept;
  buffer_list(const buffer_list&) = delete;
  buffer_list& operator=(const buffer_list&) = delete;
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  msghdr* message() noexcept;

  static constexpr std::size_t capacity = 16;

 private:
  void add(const void* data, std::size_t size) noexcept;
  std::size_t count_ = 0;
  alignas(8) std::byte pieces_[capacity * 16];
  alignas(8) std::byte header_[56];
};

/// The same as socket_transfer with several buffers, by recvmsg or sendmsg; for streams.
class vectored_transfer final : public astd::detail::io_awaiter<vectored_transfer, std::size_t> {
 public:
  struct arguments {
    arguments(int fd, std::span<const io::mutable_bytes> into) noexcept : descriptor(fd), to_read(into) {}
    arguments(int fd, std::span<const io::const_bytes> from) noexcept
        : descriptor(fd), receiving(false), to_write(from) {}
    int descriptor;
    bool receiving = true;
    std::span<const io::mutable_bytes> to_read;
    std::span<const io::const_bytes> to_write;
  };
  explicit vectored_transfer(const arguments& a) noexcept
      : io_awaiter(a.receiving ? driver::opcode::recvmsg : driver::opcode::sendmsg, a.descriptor),
        buffers_(a.receiving ? buffer_list(a.to_read) : buffer_list(a.to_write)) {
    args.message = {buffers_.message(), 0};
  }
  bool await_ready() const noexcept { return buffers_.empty(); }
  astd::detail::outcome<std::size_t> take();

 private:
  buffer_list buffers_;
};

using vectored_awaitable = io::detail::io_awaitable<vectored_transfer>;

io::poll_result<std::size_t> try_vectored(driver::opcode recvmsg_or_sendmsg, int descriptor,
                                          buffer_list& buffers) noexcept;

/// "read 192.0.2.1:80": the action and the peer, or our own address where there is no peer.
failure socket_failure(std::error_code error, const char* action, int descriptor) noexcept;

}  // namespace astd::net::detail
