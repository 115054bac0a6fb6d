// Stations of the tour with sockets, on the loopback interface and on ports that the system chooses.
#include "descriptors.hpp"
#include "station.hpp"
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/task.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
namespace io = astd::io;
namespace net = astd::net;

namespace tour {
namespace {

astd::task<> answer_datagrams(net::udp_socket& socket) {
  std::array<char, 1024> buffer;
  for (;;) {
    auto [size, sender] = co_await socket.recv_from(buffer);
    co_await socket.send_to(std::span(buffer).first(size), sender);
  }
}

astd::task<std::string> ask_by_datagram(net::socket_address server, std::string_view question) {
  auto socket = co_await net::udp_socket::bind("127.0.0.1:0");
  co_await socket.connect(server);
  co_await socket.send(question);
  std::array<char, 1024> buffer;
  auto size = co_await socket.recv(buffer);
  co_return std::string(buffer.data(), size);
}

// Gives everything back, until the client has said all it has to say.
astd::task<> handle_client(net::tcp_stream stream) {
  std::array<char, 4096> buffer;
  for (;;) {
    auto size = co_await stream.read(buffer);
    if (size == 0) co_return;
    co_await io::write_all(stream, std::span(buffer).first(size));
  }
}

// As in every tutorial: accept connections and process them serially.
astd::task<> serve_in_turn(net::tcp_listener& listener) {
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    co_await handle_client(std::move(stream));
  }
}

// The same loop; every client becomes a task, and the next may come.
astd::task<> serve_at_once(net::tcp_listener& listener, astd::task_group& clients) {
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    clients.spawn(handle_client(std::move(stream))).detach();
  }
}

// One question and its answer; gives the number of bytes that came back as they had been sent.
astd::task<std::size_t> ask(net::tcp_stream& stream, std::string question) {
  co_await io::write_all(stream, question);
  std::string answer(question.size(), '\0');
  co_await io::read_exact(stream, answer);
  co_return answer == question ? answer.size() : 0;
}

// Four questions of 4 KiB that nobody else asks.
astd::task<std::size_t> converse(net::tcp_stream& stream, std::size_t client) {
  std::size_t right = 0;
  for (int round = 0; round < 4; ++round) {
    std::string question;
    while (question.size() < 4096) question += fmt::format("client {}, round {}; ", client, round);
    question.resize(4096);
    auto bytes = co_await ask(stream, question);
    right += bytes;
  }
  co_return right;
}

// Connects all of them, then lets all of them talk, then looks how many the server serves.
astd::task<std::string> visit_together(net::socket_address server, std::size_t count, astd::task_group& group) {
  std::vector<astd::task<net::tcp_stream>> connecting;
  for (std::size_t i = 0; i < count; ++i) connecting.push_back(net::tcp_stream::connect(server));
  auto streams = co_await astd::try_join(std::move(connecting));

  std::vector<astd::task<std::size_t>> talking;
  for (std::size_t i = 0; i < count; ++i) talking.push_back(converse(streams[i], i));
  auto counts = co_await astd::try_join(std::move(talking));

  std::size_t bytes = 0;
  for (std::size_t n : counts) bytes += n;
  expect(bytes == count * 16384, fmt::format("every byte comes back ({} of {} did)", bytes, count * 16384));
  expect(group.size() == count + 1, fmt::format("{} clients are served at the same time", count));
  group.request_cancel();  // the server, and those it serves: they would wait for ever
  co_return fmt::format("{} clients at the same time, {} bytes there and back again, each as it was sent", count,
                        bytes);
}

}  // namespace

astd::task<std::string> udp_echo() {
  auto socket = co_await net::udp_socket::bind("127.0.0.1:0");
  const auto server = socket.local_address();
  auto first = co_await astd::race(ask_by_datagram(server, "Is anybody there?"), answer_datagrams(socket));
  const auto& answer = std::get<std::string>(first);  // the server does not end by itself
  expect(answer == "Is anybody there?", "the server sends back what it gets");
  co_return fmt::format("{} answers: {}", server, answer);
}

astd::task<std::string> tcp_in_turn() {
  auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
  const auto server = listener.local_address();
  const auto visiting = [server]() -> astd::task<std::string> {
    auto silent = co_await net::tcp_stream::connect(server);  // is served, and says nothing
    auto second = co_await net::tcp_stream::connect(server);
    auto answer = co_await astd::as_result(astd::timeout(20ms, ask(second, "Is anybody there?")));
    expect(!answer && answer.error() == std::errc::timed_out, "the second client has to wait for the first");
    co_return "the first client says nothing, so the second got no answer within 20 ms";
  };
  auto first = co_await astd::race(visiting(), serve_in_turn(listener));
  co_return std::get<std::string>(first);
}

astd::task<std::string> tcp_at_once() {
  // A client's end and a server's end for each, beside what is open anyway.
  const std::size_t limit = raise_descriptor_limit();
  const std::size_t count = std::min<std::size_t>(1000, limit > 128 ? (limit - 64) / 2 : 32);

  auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
  const auto serving = [&listener, count](astd::task_group& group) -> astd::task<std::string> {
    group.spawn(serve_at_once(listener, group));
    auto report = co_await visit_together(listener.local_address(), count, group);
    co_return report;
  };
  auto report = co_await astd::task_group::run(serving);
  if (count < 1000) report += fmt::format("\n(1000 were meant to come, but only {} files may be open)", limit);
  co_return report;
}

}  // namespace tour
