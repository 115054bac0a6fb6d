// One server at an IPv4 and an IPv6 address: two accept loops, joined. It ends when a client has been to both.
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
    if (size == 0) co_return;
    co_await io::write_all(stream, std::span(buffer).first(size));
  }
}

astd::task<> serve(net::tcp_listener& listener) {
  co_await astd::println("Listening on {}", listener.local_address());
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    astd::spawn(echo(std::move(stream))).detach();
  }
}

astd::task<> ask(net::socket_address server) {
  auto stream = co_await net::tcp_stream::connect(server);
  co_await io::write_all(stream, "hello");
  std::array<char, 5> answer;
  co_await io::read_exact(stream, answer);
  co_await astd::println("{} says: {}", server, std::string_view(answer.data(), answer.size()));
}

astd::task<int> async_main() {
  auto v4 = co_await net::tcp_listener::bind("127.0.0.1:0");
  auto v6 = co_await net::tcp_listener::bind("[::1]:0");
  co_await astd::race(astd::join(serve(v4), serve(v6)),
                      astd::join(ask(v4.local_address()), ask(v6.local_address())));
  co_return 0;
}
