// A UDP socket that sends back what it gets. Argument: ADDRESS:PORT (until Ctrl-C); else it has one client.
#include <astd/future.hpp>
#include <astd/net.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <array>
#include <span>
#include <string_view>

namespace net = astd::net;

astd::task<> echo(net::udp_socket& socket) {
  std::array<char, 1024> buffer;
  for (;;) {
    auto [size, peer] = co_await socket.recv_from(buffer);
    auto sent = co_await socket.send_to(std::span(buffer).first(size), peer);
    co_await astd::println("Sent {} out of {} bytes to {}", sent, size, peer);
  }
}

astd::task<> ask(net::socket_address server) {
  auto socket = co_await net::udp_socket::bind("127.0.0.1:0");
  co_await socket.send_to("Is anybody there?", server);
  std::array<char, 1024> buffer;
  auto [size, peer] = co_await socket.recv_from(buffer);
  co_await astd::println("{} says: {}", peer, std::string_view(buffer.data(), size));
}

astd::task<int> async_main(std::span<const std::string_view> args) {
  const std::string_view where = args.size() > 1 ? args[1] : "127.0.0.1:0";
  auto socket = co_await net::udp_socket::bind(where);
  co_await astd::println("Listening on {}", socket.local_address());
  if (args.size() > 1)
    co_await echo(socket);
  else  // when the client has ended, so has the server
    co_await astd::race(echo(socket), ask(socket.local_address()));
  co_return 0;
}
