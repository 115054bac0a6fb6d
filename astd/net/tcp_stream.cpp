#include <astd/coro/or_return.hpp>
#include <astd/net/connect.hpp>
#include <astd/net/resolve.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/runtime/perform_now.hpp>

namespace astd::net {

task<tcp_stream> tcp_stream::connect(endpoint where) {
  const detail::place_name name(where);
  std::vector<socket_address> addresses = co_await or_return(lookup_host(std::move(where)));
  if (name.given()) detail::interleave(addresses);
  detail::socket connected = co_await or_return(detail::connect_to_first(addresses, name));
  co_return tcp_stream(std::move(connected));
}

std::pair<tcp_read_half, tcp_write_half> tcp_stream::split() & {
  detail::socket second = socket_.share();
  return {tcp_read_half(socket_.share()), tcp_write_half(std::move(second), false)};
}

std::pair<tcp_read_half, tcp_write_half> tcp_stream::split() && {
  detail::socket second = socket_.share();
  return {tcp_read_half(std::move(socket_)), tcp_write_half(std::move(second), true)};
}

tcp_stream reunite(tcp_read_half reader, tcp_write_half writer) {
  if (!reader.socket_.shares_with(writer.socket_))
    astd::detail::throw_failure(
        {std::make_error_code(std::errc::invalid_argument), "reunite", "halves of different connections"});
  writer.says_the_end_ = false;
  return tcp_stream(std::move(reader.socket_));
}

void tcp_write_half::end_writing() noexcept {
  if (socket_.descriptor() < 0) return;
  driver::operation op;
  op.code = driver::opcode::shutdown;
  op.fd = socket_.descriptor();
  op.args.value = static_cast<int>(shutdown_how::write);
  // An error says that the connection is broken: the peer knows.
  astd::detail::perform_now(op);
}

astd::detail::outcome<void> detail::shutdown_awaiter::take() {
  resumed();
  if (failed()) return socket_failure(error(), "shutdown", fd);
  astd::detail::outcome<void> done;
  done.set_value();
  return done;
}

}  // namespace astd::net
