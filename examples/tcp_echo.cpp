// A TCP server that gives everybody back what they send. Argument: ADDRESS:PORT (until Ctrl-C); else it has one client.
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace io = astd::io;
namespace net = astd::net;

astd::task<> echo(net::tcp_stream stream) {
  std::array<char, 4096> buffer;
  for (;;) {
    auto size = co_await stream.read(buffer);
    if (size == 0) co_return;  // the client has said everything
    co_await io::write_all(stream, std::span(buffer).first(size));
  }
}

astd::task<> serve(net::tcp_listener& listener) {
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    co_await astd::println("{} is here", peer);
    astd::spawn(echo(std::move(stream))).detach();  // and on to the next, without waiting for this one
  }
}

astd::task<> ask(net::socket_address server) {
  auto stream = co_await net::tcp_stream::connect(server);
  co_await io::write_all(stream, "Is anybody there?");
  std::array<char, 17> buffer;
  co_await io::read_exact(stream, buffer);
  co_await astd::println("{} says: {}", server, std::string_view(buffer.data(), buffer.size()));
}

astd::task<int> async_main(std::span<const std::string_view> args) {
  const std::string_view where = args.size() > 1 ? args[1] : "127.0.0.1:0";
  auto listener = co_await net::tcp_listener::bind(where);
  co_await astd::println("Listening on {}", listener.local_address());
  if (args.size() > 1)
    co_await serve(listener);
  else  // when the client has ended, so has the server
    co_await astd::race(serve(listener), ask(listener.local_address()));
  co_return 0;
}
