#include <astd/coro/or_return.hpp>
#include <astd/net/unix_datagram.hpp>
#include <astd/net/unix_listener.hpp>
#include <astd/net/unix_seqpacket.hpp>
#include <astd/net/unix_stream.hpp>

namespace astd::net {
namespace {

task<detail::socket> connected(detail::unix_kind what, unix_address where) {
  auto made = detail::make_unix(what);
  if (!made) co_await fail({made.error(), "connect", where.to_string()});
  co_await or_return(detail::connect_unix(*made, where));
  co_return std::move(*made);
}

std::pair<detail::socket, detail::socket> pair_of(detail::unix_kind what) {
  auto both = detail::make_unix_pair(what);
  if (!both) astd::detail::throw_failure({both.error(), "pair of local sockets"});
  return *std::move(both);
}

}  // namespace

task<unix_stream> unix_stream::connect(unix_address where) {
  detail::socket s = co_await or_return(connected(detail::unix_kind::stream, std::move(where)));
  co_return unix_stream(std::move(s));
}

std::pair<unix_stream, unix_stream> unix_stream::pair() {
  auto both = pair_of(detail::unix_kind::stream);
  return {unix_stream(std::move(both.first)), unix_stream(std::move(both.second))};
}

task<unix_seqpacket> unix_seqpacket::connect(unix_address where) {
  detail::socket s = co_await or_return(connected(detail::unix_kind::packets, std::move(where)));
  co_return unix_seqpacket(std::move(s));
}

std::pair<unix_seqpacket, unix_seqpacket> unix_seqpacket::pair() {
  auto both = pair_of(detail::unix_kind::packets);
  return {unix_seqpacket(std::move(both.first)), unix_seqpacket(std::move(both.second))};
}

task<detail::socket> detail::listen_unix(unix_kind what, unix_address where) {
  auto made = make_unix(what);
  if (!made) co_await fail({made.error(), "bind", where.to_string()});
  std::error_code error = bind_unix(*made, where);
  if (!error) error = made->listen(default_backlog);
  if (error) co_await fail({error, "bind", where.to_string()});
  co_return std::move(*made);
}

task<unix_datagram> unix_datagram::bind(unix_address where) {
  auto made = detail::make_unix(detail::unix_kind::datagram);
  if (!made) co_await fail({made.error(), "bind", where.to_string()});
  if (const auto error = detail::bind_unix(*made, where)) co_await fail({error, "bind", where.to_string()});
  co_return unix_datagram(std::move(*made));
}

unix_datagram unix_datagram::unbound() {
  auto made = detail::make_unix(detail::unix_kind::datagram);
  if (!made) astd::detail::throw_failure({made.error(), "a local datagram socket"});
  return unix_datagram(*std::move(made));
}

std::pair<unix_datagram, unix_datagram> unix_datagram::pair() {
  auto both = pair_of(detail::unix_kind::datagram);
  return {unix_datagram(std::move(both.first)), unix_datagram(std::move(both.second))};
}

task<> unix_datagram::connect(unix_address where) {
  co_await or_return(detail::connect_unix(socket_, std::move(where)));
}

}  // namespace astd::net
