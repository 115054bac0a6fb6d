// A connection between processes of one machine: bytes in both directions, and descriptors.
//
//   auto stream = co_await net::unix_stream::connect("/run/service.sock");
//   co_await io::write_all(stream, "hello\n");
//
//   auto [a, b] = net::unix_stream::pair();
//   const os::native_handle handles[] = {listener.as_native_handle()};
//   co_await a.send_with("x", handles);
//   auto got = co_await b.recv_with(buffer, 1);        // got.handles[0]
#pragma once

#include <astd/coro/task.hpp>
#include <astd/net/socket.hpp>
#include <astd/net/stream_operations.hpp>
#include <astd/net/unix_address.hpp>
#include <astd/net/unix_message.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace astd::net {

/// One end. The members of stream_operations.hpp are as those of tcp_stream: read, try_read, readable, peek,
/// read_vectored; write, try_write, writable, write_vectored, shutdown_write. The destructor closes it and never blocks.
/// One task may read while another writes, on any threads.
class unix_stream : public detail::stream_source<unix_stream>,
                    public detail::stream_sink<unix_stream>,
                    public detail::native_socket<unix_stream> {
 public:
  static constexpr detail::unix_kind socket_kind = detail::unix_kind::stream;
  /// Fails with what the system says: "connect /run/service.sock: Connection refused". Waits while the listener's queue
  /// is full.
  static task<unix_stream> connect(unix_address where);
  /// Two that are connected. Throws system_error if the system refuses.
  [[nodiscard]] static std::pair<unix_stream, unix_stream> pair();

  /// Ends one direction or both, without closing.
  [[nodiscard]] detail::shutdown_awaitable shutdown(shutdown_how how) noexcept {
    return detail::shutdown_awaitable(descriptor(), static_cast<int>(how));
  }

  /// As write(), and hands over duplicates of the descriptors, at most 253, with the first of the bytes: without one it
  /// is std::errc::invalid_argument. They stay ours, and may be closed when the await is over; the span stays until then.
  [[nodiscard]] detail::unix_send_awaitable send_with(io::const_bytes buffer,
                                                      std::span<const os::native_handle> handles) noexcept {
    return detail::unix_send_awaitable(descriptor(), buffer, static_cast<const unix_address*>(nullptr), handles,
                                       true);
  }
  /// As read(), and takes up to `most` descriptors that came with the bytes; further ones are closed. A plain read()
  /// closes all that come. Cancelled, it has taken neither bytes nor descriptors.
  [[nodiscard]] detail::unix_recv_handles_awaitable recv_with(io::mutable_bytes buffer, std::size_t most) noexcept {
    return detail::unix_recv_handles_awaitable(descriptor(), buffer, most, buffer.empty());
  }

  /// Throw system_error if the connection is broken.
  [[nodiscard]] unix_address local_address() const { return detail::unix_local(descriptor()); }
  [[nodiscard]] unix_address peer_address() const { return detail::unix_peer(descriptor()); }
  [[nodiscard]] unix_credentials peer_credentials() const { return detail::unix_peer_credentials(descriptor()); }

 private:
  friend class detail::native_socket<unix_stream>;
  template <class>
  friend class detail::stream_source;
  template <class>
  friend class detail::stream_sink;
  friend struct detail::unix_maker;
  explicit unix_stream(detail::socket socket) noexcept : socket_(std::move(socket)) {}
  [[nodiscard]] int descriptor() const noexcept { return socket_.descriptor(); }
  detail::socket socket_;
};

}  // namespace astd::net
