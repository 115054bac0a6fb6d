// One direction of a TCP connection each, for two tasks.
//
//   auto [reader, writer] = std::move(stream).split();
//   auto answering = spawn(answer, std::move(writer));
//   ...read from reader...
//   auto whole = net::reunite(std::move(reader), std::move(writer));
//
// io::split() (astd/io/halves.hpp) does the same with any stream; the writing half then says no end to the peer by itself.
#pragma once

#include <astd/net/native_socket.hpp>
#include <astd/net/socket.hpp>
#include <astd/net/socket_options.hpp>
#include <astd/net/stream_operations.hpp>

#include <utility>

namespace astd::net {

class tcp_stream;
class tcp_read_half;
class tcp_write_half;

/// The connection of two halves that come from one split(). Halves of different connections are
/// std::errc::invalid_argument, and both are closed. Nothing may be in flight on either.
tcp_stream reunite(tcp_read_half reader, tcp_write_half writer);

/// Reads, as the tcp_stream that it comes from does. The connection is closed when all that share it are gone: both
/// halves, and the stream if that was kept. Nothing may be in flight on a half that is destroyed or assigned to.
class tcp_read_half : public detail::stream_source<tcp_read_half>,
                      public detail::addresses<tcp_read_half>,
                      public detail::native_socket<tcp_read_half> {
 private:
  friend class detail::native_socket<tcp_read_half>;
  friend class tcp_stream;
  template <class>
  friend class detail::stream_source;
  template <class>
  friend class detail::addresses;
  friend tcp_stream reunite(tcp_read_half, tcp_write_half);
  explicit tcp_read_half(detail::socket socket) noexcept : socket_(std::move(socket)) {}
  [[nodiscard]] int descriptor() const noexcept { return socket_.descriptor(); }
  detail::socket socket_;
};

/// Writes, likewise. Of a stream that was given up for its halves (`std::move(stream).split()`), destroying the writing
/// half ends the writing side: the peer sees the end. forget() leaves that out. One made of a native handle does so, too.
class tcp_write_half : public detail::stream_sink<tcp_write_half>,
                       public detail::addresses<tcp_write_half>,
                       public detail::native_socket<tcp_write_half> {
 public:
  tcp_write_half(tcp_write_half&& other) noexcept
      : socket_(std::move(other.socket_)), says_the_end_(std::exchange(other.says_the_end_, false)) {}
  tcp_write_half& operator=(tcp_write_half&& other) noexcept {
    tcp_write_half taken(std::move(other));
    socket_.swap(taken.socket_);
    std::swap(says_the_end_, taken.says_the_end_);
    return *this;
  }
  ~tcp_write_half() {
    if (says_the_end_) end_writing();
  }
  /// As that of the other types; says no end.
  [[nodiscard]] os::native_handle into_native_handle() && noexcept {
    says_the_end_ = false;
    return socket_.release();
  }
  /// Goes without a word: the other half decides when the connection ends.
  void forget() && noexcept {
    says_the_end_ = false;
    detail::socket(std::move(socket_));
  }

 private:
  friend class tcp_stream;
  friend class detail::native_socket<tcp_write_half>;
  template <class>
  friend class detail::stream_sink;
  template <class>
  friend class detail::addresses;
  friend tcp_stream reunite(tcp_read_half, tcp_write_half);
  explicit tcp_write_half(detail::socket socket, bool says_the_end = true) noexcept
      : socket_(std::move(socket)), says_the_end_(says_the_end) {}
  void end_writing() noexcept;
  [[nodiscard]] int descriptor() const noexcept { return socket_.descriptor(); }
  detail::socket socket_;
  bool says_the_end_;
};

}  // namespace astd::net
