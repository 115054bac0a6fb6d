// A thousand clients of one TCP server at the same time, and every byte of each of them counted back.
#include "tour/descriptors.hpp"
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>

#include <array>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

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

astd::task<> serve(net::tcp_listener& listener, astd::task_group& clients) {
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    clients.spawn(echo(std::move(stream))).detach();
  }
}

// How many of 16 KiB come back as they were sent.
astd::task<std::size_t> converse(net::tcp_stream& stream, std::size_t client) {
  const std::string question(16 * 1024, static_cast<char>('a' + client % 26));
  std::string answer(question.size(), ' ');
  co_await astd::try_join(io::write_all(stream, question), io::read_exact(stream, answer));
  co_return answer == question ? answer.size() : 0;
}

astd::task<std::size_t> visit(net::socket_address server, std::size_t count) {
  std::vector<astd::task<net::tcp_stream>> connecting;
  for (std::size_t i = 0; i < count; ++i) connecting.push_back(net::tcp_stream::connect(server));
  auto streams = co_await astd::try_join(std::move(connecting));

  std::vector<astd::task<std::size_t>> talking;
  for (std::size_t i = 0; i < count; ++i) talking.push_back(converse(streams[i], i));
  auto bytes = co_await astd::try_join(std::move(talking));
  co_return std::accumulate(bytes.begin(), bytes.end(), std::size_t(0));
}

astd::task<int> async_main() {
  tour::raise_descriptor_limit();  // two for each client, since the server is in here, too
  auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
  const auto run = [&listener](astd::task_group& group) -> astd::task<std::size_t> {
    group.spawn(serve(listener, group));
    auto bytes = co_await visit(listener.local_address(), 1000);
    group.request_cancel();  // the server, which would go on for ever
    co_return bytes;
  };
  auto bytes = co_await astd::task_group::run(run);
  co_await astd::println("1000 clients, {} bytes there and back again", bytes);
  co_return bytes == 1000 * 16 * 1024 ? 0 : 1;
}
