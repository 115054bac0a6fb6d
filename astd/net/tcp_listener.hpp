// Where TCP connections arrive.
//
//   auto listener = co_await net::tcp_listener::bind("127.0.0.1:8080");
//   for (;;) {
//     auto [stream, peer] = co_await listener.accept();
//     spawn(serve, std::move(stream)).detach();
//   }
#pragma once

#include <astd/coro/task.hpp>
#include <astd/net/endpoint.hpp>
#include <astd/net/tcp_stream.hpp>

#include <utility>

namespace astd::net {
namespace detail {

class accept_awaiter final
    : public astd::detail::io_awaiter<accept_awaiter, std::pair<tcp_stream, socket_address>> {
 public:
  struct arguments {
    explicit arguments(int fd) noexcept : descriptor(fd) {}
    int descriptor;
  };
  explicit accept_awaiter(const arguments& a) noexcept : io_awaiter(driver::opcode::accept, a.descriptor) {
    operation::result = -1;  // no connection
  }
  ~accept_awaiter() {
    if (operation::result >= 0) socket::close_socket(operation::result);
  }
  astd::detail::outcome<value_type> take();
};

}  // namespace detail

/// A listening socket. The destructor closes it and never blocks: the port is free for another at once, connections that
/// nobody has accepted are reset.
///
/// accept() may be awaited by several tasks at once, on any threads. All of them have ended when the listener is
/// destroyed or assigned to: anything else is a programming error.
class tcp_listener {
 public:
  /// Listens at the first of the addresses of `where` where that is possible; port 0 stands for any that is free. The
  /// address may be one that closed connections still linger at (SO_REUSEADDR). Up to 1024 connections wait to be
  /// accepted, fewer if the system allows no more. Fails as lookup_host() does, or with the last address's error, which
  /// names it: "bind 127.0.0.1:80: Address already in use".
  static task<tcp_listener> bind(endpoint where);

  /// The next connection and the address of its peer. A connection that was reset before it could be accepted is passed
  /// over. Allocates nothing. Cancelling loses no connection: one that has come is delivered, one that has not stays for
  /// the next accept().
  ///
  /// When the process or the system is out of descriptors (std::errc::too_many_files_open,
  /// too_many_files_open_in_system) or memory it fails, and the connection waits: the next accept() fails again until
  /// something was closed, so wait a while before it.
  [[nodiscard]] auto accept() noexcept {
    return io::detail::io_awaitable<detail::accept_awaiter>(socket_.descriptor());
  }

  /// Where it listens, with the port that was chosen. Throws system_error only if the system has no memory for the
  /// answer.
  [[nodiscard]] socket_address local_address() const;

 private:
  explicit tcp_listener(detail::socket socket) noexcept : socket_(std::move(socket)) {}
  detail::socket socket_;
};

}  // namespace astd::net
