// The TCP server that every tutorial starts with: one client after the other. What it lacks, tcp_echo has.
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <array>
#include <chrono>
#include <span>
#include <string>
#include <utility>

using namespace std::chrono_literals;
namespace io = astd::io;
namespace net = astd::net;

astd::task<> handle_client(net::tcp_stream stream) {
  std::array<char, 4096> buffer;
  for (;;) {
    auto size = co_await stream.read(buffer);
    if (size == 0) co_return;
    co_await io::write_all(stream, std::span(buffer).first(size));
  }
}

// Accepts connections and processes them serially.
astd::task<> serve(net::tcp_listener& listener) {
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    co_await handle_client(std::move(stream));
  }
}

astd::task<> ask(net::tcp_stream& stream) {
  std::array<char, 5> answer;
  co_await io::write_all(stream, "hello");
  co_await io::read_exact(stream, answer);
}

// While the first client is connected the second has to wait.
astd::task<> visit(net::socket_address server) {
  auto first = co_await net::tcp_stream::connect(server);
  auto second = co_await net::tcp_stream::connect(server);
  co_await ask(first);
  co_await astd::println("The first client has its answer");
  auto answered = co_await astd::as_result(astd::timeout(50ms, ask(second)));
  const std::string how = answered ? "answered" : answered.error().message();
  co_await astd::println("The second client: {}", how);
}

astd::task<int> async_main() {
  auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
  co_await astd::race(serve(listener), visit(listener.local_address()));
  co_return 0;
}
