// A TCP connection: bytes in both directions, in order.
//
//   auto stream = co_await net::tcp_stream::connect("example.org:80");
//   co_await io::write_all(stream, "GET / HTTP/1.0\r\n\r\n");
//   std::array<char, 4096> buffer;
//   for (;;) {
//     auto n = co_await stream.read(buffer);
//     if (n == 0) break;                       // the other side has said everything
//     co_await print("{}", std::string_view(buffer.data(), n));
//   }
#pragma once

#include <astd/coro/task.hpp>
#include <astd/net/endpoint.hpp>
#include <astd/net/native_socket.hpp>
#include <astd/net/socket.hpp>
#include <astd/net/socket_options.hpp>
#include <astd/net/stream_operations.hpp>
#include <astd/net/tcp_halves.hpp>

#include <utility>

namespace astd::net {
namespace detail {

struct stream_maker;

}  // namespace detail

/// One end of a connection. The destructor closes it: what was written is still delivered, the peer sees the end (or a
/// reset, if we leave bytes unread). It never blocks.
///
/// Reads and writes as io::reader and io::writer say, with everything that astd/io/concepts.hpp has besides: the members
/// are those of stream_operations.hpp (read, try_read, readable, peek, read_vectored; write, try_write, writable,
/// write_vectored, shutdown_write) and socket_options.hpp (nodelay, linger, keepalive, ttl, buffer sizes, ...).
///
/// One task may read while another writes, on any threads. Two reads at the same time take turns in no particular
/// order, as do two writes. Moving it does not disturb an operation in flight; closing it or assigning to it while one
/// is in flight is a programming error.
class tcp_stream : public detail::stream_source<tcp_stream>,
                   public detail::stream_sink<tcp_stream>,
                   public detail::addresses<tcp_stream>,
                   public detail::tcp_options<tcp_stream>,
                   public detail::native_socket<tcp_stream> {
 public:
  /// Connects to the first of the addresses of `where` that answers. Names are looked up as lookup_host() does. Several
  /// addresses are tried as RFC 8305 has it: the next one is begun when the last has failed, or has not answered for 250
  /// milliseconds; the first to be connected is taken and the others are given up. No more than 16 are tried at a time:
  /// where so many are silent the next one is begun when one of them has failed. Those of a name take turns between IPv6
  /// and IPv4; those of a range are tried in its order.
  ///
  /// Fails as lookup_host() does, or with the error of the address that failed last, and names each that was tried:
  /// "connect 192.0.2.1:80: Connection refused". Cancelling closes the half-open connections.
  static task<tcp_stream> connect(endpoint where);

  /// Ends one direction or both, without closing. Fails with std::errc::not_connected if the connection is broken.
  [[nodiscard]] detail::shutdown_awaitable shutdown(shutdown_how how) noexcept {
    return detail::shutdown_awaitable(socket_.descriptor(), static_cast<int>(how));
  }

  /// Both directions, for two tasks. `std::move(stream).split()` gives the stream up for them; of a stream that is kept
  /// they are views that share it: the connection is closed when the stream and both halves are gone. The first split of
  /// a stream allocates a few bytes. See also reunite().
  [[nodiscard]] std::pair<tcp_read_half, tcp_write_half> split() &;
  [[nodiscard]] std::pair<tcp_read_half, tcp_write_half> split() &&;

 private:
  friend struct detail::stream_maker;
  friend class detail::native_socket<tcp_stream>;
  template <class>
  friend class detail::stream_source;
  template <class>
  friend class detail::stream_sink;
  template <class>
  friend class detail::addresses;
  template <class>
  friend class detail::ip_options;
  template <class>
  friend class detail::tcp_options;
  friend tcp_stream reunite(tcp_read_half, tcp_write_half);
  explicit tcp_stream(detail::socket socket) noexcept : socket_(std::move(socket)) {}
  [[nodiscard]] int descriptor() const noexcept { return socket_.descriptor(); }
  detail::socket socket_;
};

namespace detail {

/// Makes a stream of a connected socket.
struct stream_maker {
  static tcp_stream make(socket connected) noexcept { return tcp_stream(std::move(connected)); }
};

}  // namespace detail
}  // namespace astd::net
