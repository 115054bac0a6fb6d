#include <astd/coro/as_result.hpp>
#include <astd/io/test_support.hpp>
#include <astd/net/udp_socket.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace astd::net {
namespace {

using datagram = std::pair<std::size_t, socket_address>;

ASTD_TEST(udp_socket, sends_back_to_the_sender) {
  udp_socket server = co_await udp_socket::bind("127.0.0.1:0");
  udp_socket client = co_await udp_socket::bind("127.0.0.1:0");
  const std::size_t sent = co_await client.send_to("hello", server.local_address());
  EXPECT_EQ(sent, 5u);
  std::array<char, 100> buffer;
  const datagram got = co_await server.recv_from(buffer);
  EXPECT_EQ(std::string_view(buffer.data(), got.first), "hello");
  EXPECT_EQ(got.second, client.local_address());
  co_await server.send_to("hello yourself", got.second);
  const datagram answer = co_await client.recv_from(buffer);
  EXPECT_EQ(std::string_view(buffer.data(), answer.first), "hello yourself");
  EXPECT_EQ(answer.second, server.local_address());
}

ASTD_TEST(udp_socket, speaks_ipv6) {
  auto made = co_await as_result(udp_socket::bind("[::1]:0"));
  if (!made) {
    EXPECT_EQ(made.error(), std::errc::address_not_available) << "a machine without IPv6 says so";
    co_return;
  }
  co_await made->send_to("six", made->local_address());
  std::array<char, 100> buffer;
  const datagram got = co_await made->recv_from(buffer);
  EXPECT_EQ(std::string_view(buffer.data(), got.first), "six");
  EXPECT_EQ(got.second, made->local_address());
}

ASTD_TEST(udp_socket, finds_the_receiver_by_name) {
  udp_socket server = co_await udp_socket::bind("127.0.0.1:0");
  udp_socket client = co_await udp_socket::bind("0.0.0.0:0");
  const std::size_t sent =
      co_await client.send_to("hello", "127.0.0.1:" + std::to_string(server.local_address().port()));
  EXPECT_EQ(sent, 5u);
  const std::pair place("127.0.0.1", server.local_address().port());
  const std::size_t again = co_await client.send_to("hello again", place);
  EXPECT_EQ(again, 11u);
  std::array<char, 100> buffer;
  const datagram first = co_await server.recv_from(buffer);
  const datagram second = co_await server.recv_from(buffer);
  EXPECT_EQ(first.first + second.first, 16u);
  const std::string what = co_await test::error_of(client.send_to("hello", "nowhere"));
  EXPECT_TRUE(what.starts_with("resolve nowhere: ")) << what;
}

ASTD_TEST(udp_socket, connects) {
  udp_socket one = co_await udp_socket::bind("127.0.0.1:0");
  udp_socket two = co_await udp_socket::bind("127.0.0.1:0");
  udp_socket stranger = co_await udp_socket::bind("127.0.0.1:0");
  const std::string lonely = co_await test::error_of(one.send("to whom?"));
  EXPECT_TRUE(lonely.ends_with(": Destination address required")) << lonely;
  EXPECT_THROW(static_cast<void>(one.peer_address()), system_error);
  co_await one.connect(two.local_address());
  co_await two.connect("127.0.0.1:" + std::to_string(one.local_address().port()));
  EXPECT_EQ(one.peer_address(), two.local_address());
  co_await stranger.send_to("not for you", one.local_address());
  const std::size_t sent = co_await two.send("for you");
  EXPECT_EQ(sent, 7u);
  std::array<char, 100> buffer;
  const std::size_t size = co_await one.recv(buffer);
  EXPECT_EQ(std::string_view(buffer.data(), size), "for you");
}

ASTD_TEST(udp_socket, keeps_datagrams_apart) {
  udp_socket server = co_await udp_socket::bind("127.0.0.1:0");
  udp_socket client = co_await udp_socket::bind("127.0.0.1:0");
  co_await client.connect(server.local_address());
  co_await client.send("too long for the buffer");
  co_await client.send("");
  co_await client.send("next");
  std::array<char, 8> buffer;
  const datagram cut = co_await server.recv_from(buffer);
  EXPECT_EQ(std::string_view(buffer.data(), cut.first), "too long");
  const datagram empty = co_await server.recv_from(buffer);
  EXPECT_EQ(empty.first, 0u);
  const datagram next = co_await server.recv_from(buffer);
  EXPECT_EQ(std::string_view(buffer.data(), next.first), "next");
  co_await client.send("dropped by who has no room");
  co_await client.send("last");
  const std::size_t dropped = co_await server.recv(io::mutable_bytes());
  EXPECT_EQ(dropped, 0u);
  const std::size_t last = co_await server.recv(buffer);
  EXPECT_EQ(std::string_view(buffer.data(), last), "last");
}

ASTD_TEST(udp_socket, says_what_went_wrong) {
  udp_socket client = co_await udp_socket::bind("127.0.0.1:0");
  const std::string taken = co_await test::error_of(udp_socket::bind(client.local_address()));
  EXPECT_EQ(taken, "bind " + client.local_address().to_string() + ": Address already in use");
  std::optional<udp_socket> server = co_await udp_socket::bind("127.0.0.1:0");
  const socket_address gone = server->local_address();
  server.reset();
  co_await client.connect(gone);
  co_await client.send("anybody?");
  std::array<char, 8> buffer;
  const std::string refused = co_await test::error_of(client.recv(buffer));
  EXPECT_EQ(refused, "recv " + gone.to_string() + ": Connection refused");
  const std::string large(70'000, 'x');
  const std::string too_long = co_await test::error_of(client.send_to(large, gone));
  EXPECT_EQ(too_long, "send to " + gone.to_string() + ": Message too long");
}

task<unsigned> receive(udp_socket& at) {
  std::array<unsigned char, 2> number;
  const datagram got = co_await at.recv_from(number);
  co_return got.first == 2 ? number[0] * 256u + number[1] : ~0u;
}

ASTD_TEST(udp_socket, loses_no_datagram_to_cancelled_receives) {
  udp_socket server = co_await udp_socket::bind("127.0.0.1:0");
  udp_socket client = co_await udp_socket::bind("127.0.0.1:0");
  unsigned sent = 0;
  unsigned received = 0;
  unsigned wrong = 0;
  for (unsigned turn = 0; received < 1000; ++turn) {
    // Few in flight, so that the system drops none.
    if (sent < 1000 && sent - received < 20 && turn % 3 != 0) {
      const std::array number{static_cast<unsigned char>(sent >> 8), static_cast<unsigned char>(sent)};
      co_await client.send_to(number, server.local_address());
      ++sent;
    }
    auto receiving = spawn(receive, std::ref(server));
    for (unsigned k = 0; k < turn % 6; ++k) co_await this_task::yield();
    const auto got = co_await receiving.cancel();
    if (got) wrong += *got != received++;
  }
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace astd::net
