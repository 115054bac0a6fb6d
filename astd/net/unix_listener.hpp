// Where local connections arrive.
//
//   auto listener = co_await net::unix_listener::bind("/run/service.sock");
//   for (;;) {
//     auto [stream, peer] = co_await listener.accept();
//     spawn(serve, std::move(stream)).detach();
//   }
#pragma once

#include <astd/coro/or_return.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/unix_seqpacket.hpp>
#include <astd/net/unix_stream.hpp>

#include <optional>
#include <utility>

namespace astd::net {
namespace detail {

template <class S>
class unix_accept_awaiter final : public accept_base<unix_accept_awaiter<S>, std::pair<S, unix_address>> {
  using base = accept_base<unix_accept_awaiter<S>, std::pair<S, unix_address>>;

 public:
  explicit unix_accept_awaiter(const typename base::arguments& a) noexcept : base(a) {}
  astd::detail::outcome<std::pair<S, unix_address>> take() {
    this->resumed();
    if (this->failed()) return socket_failure(this->error(), "accept at", this->fd);
    socket connection = this->accepted();
    const unix_address peer = unix_peer_or_none(connection.descriptor());
    astd::detail::outcome<std::pair<S, unix_address>> accepted;
    accepted.set_value(unix_maker::make<S>(std::move(connection)), peer);
    return accepted;
  }
};

task<socket> listen_unix(unix_kind what, unix_address where);

}  // namespace detail

/// Listens for connections of type S: unix_stream or unix_seqpacket. As tcp_listener; the destructor leaves the file of a
/// path where it is: remove it.
template <class S>
class basic_unix_listener : public detail::native_socket<basic_unix_listener<S>> {
 public:
  /// A path must not exist yet: "bind /run/service.sock: Address already in use".
  static task<basic_unix_listener> bind(unix_address where) {
    detail::socket listening = co_await or_return(detail::listen_unix(S::socket_kind, std::move(where)));
    co_return basic_unix_listener(std::move(listening));
  }

  /// The next connection and its peer's address, which is mostly unnamed. As tcp_listener::accept().
  [[nodiscard]] auto accept() noexcept {
    return io::detail::io_awaitable<detail::unix_accept_awaiter<S>>(socket_.descriptor());
  }
  /// The same without waiting.
  [[nodiscard]] io::poll_result<std::pair<S, unix_address>> try_accept() {
    auto got = detail::try_accept(socket_.descriptor());
    if (got.is_error()) return got.error();
    if (got.is_not_ready()) return io::not_ready;
    const unix_address peer = detail::unix_peer_or_none(got.value().descriptor());
    return std::pair<S, unix_address>(detail::unix_maker::make<S>(std::move(got.value())), peer);
  }
  /// Waits until accept() would not have to wait.
  [[nodiscard]] detail::readiness_awaitable readable() noexcept {
    return detail::readiness_awaitable(driver::opcode::readable, socket_.descriptor());
  }

  /// The connections as a stream, which does not end. The listener outlives it.
  class incoming_stream {
   public:
    using value_type = S;
    [[nodiscard]] task<std::optional<S>> next() {
      auto connection = co_await or_return(from_->accept());
      co_return std::optional<S>(std::move(connection.first));
    }

   private:
    friend class basic_unix_listener;
    explicit incoming_stream(basic_unix_listener& from) noexcept : from_(&from) {}
    basic_unix_listener* from_;
  };
  [[nodiscard]] incoming_stream incoming() noexcept { return incoming_stream(*this); }

  [[nodiscard]] unix_address local_address() const { return detail::unix_local(socket_.descriptor()); }

 private:
  friend class detail::native_socket<basic_unix_listener<S>>;
  explicit basic_unix_listener(detail::socket socket) noexcept : socket_(std::move(socket)) {}
  detail::socket socket_;
};

using unix_listener = basic_unix_listener<unix_stream>;
using unix_seqpacket_listener = basic_unix_listener<unix_seqpacket>;

}  // namespace astd::net
