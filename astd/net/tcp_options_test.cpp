// Options of TCP sockets, set before and after they are connected.
#include <astd/coro/as_result.hpp>
#include <astd/io/write_all.hpp>
#include <astd/net/tcp_socket.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/testing/gtest.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace astd::net {
namespace {

using namespace std::chrono_literals;

std::string error_of(auto action) {
  try {
    action();
  } catch (const std::system_error& e) {
    return e.what();
  }
  return "none";
}

ASTD_TEST(tcp_options, are_what_they_were_set_to) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_stream s = co_await tcp_stream::connect(listener.local_address());
  EXPECT_FALSE(s.nodelay());
  s.set_nodelay(true);
  EXPECT_TRUE(s.nodelay());
  EXPECT_EQ(s.linger(), std::nullopt);
  s.set_linger(0s);
  EXPECT_EQ(s.linger(), 0s);
  s.set_linger(std::nullopt);
  EXPECT_EQ(s.linger(), std::nullopt);
  EXPECT_FALSE(s.keepalive());
  s.set_keepalive(keepalive_times{.idle = 60s, .interval = 5s, .probes = 3});
  EXPECT_TRUE(s.keepalive());
  const keepalive_times times = s.keepalive_times();
  EXPECT_EQ(times.idle, 60s);
  EXPECT_EQ(times.interval, 5s);
  EXPECT_EQ(times.probes, 3);
  s.set_keepalive(false);
  EXPECT_FALSE(s.keepalive());
  s.set_ttl(7);
  EXPECT_EQ(s.ttl(), 7u);
  s.set_tos(0x10);
  EXPECT_EQ(s.tos(), 0x10u);
  s.set_user_timeout(1500ms);
  EXPECT_EQ(s.user_timeout(), 1500ms);
  s.set_quickack(false);
  EXPECT_FALSE(s.quickack());
  s.set_send_buffer_size(20'000);
  EXPECT_GE(s.send_buffer_size(), 20'000u);
  s.set_receive_buffer_size(20'000);
  EXPECT_GE(s.receive_buffer_size(), 20'000u);
  EXPECT_FALSE(s.take_error());
  listener.set_ttl(9);
  EXPECT_EQ(listener.ttl(), 9u);
  EXPECT_FALSE(listener.take_error());
}

ASTD_TEST(tcp_options, a_refusal_names_option_and_address) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_stream s = co_await tcp_stream::connect(listener.local_address());
  const std::string at = listener.local_address().to_string();
  EXPECT_EQ(error_of([&] { s.set_keepalive(keepalive_times{.idle = 0s}); }),
            "set keepalive idle time " + at + ": Invalid argument");
  EXPECT_EQ(error_of([&] { s.set_ttl(300); }), "set ttl " + at + ": Invalid argument");
  EXPECT_EQ(error_of([&] { s.set_user_timeout(-1ms); }), "set user timeout " + at + ": Invalid argument");
}

ASTD_TEST(tcp_options, of_ipv6) {
  auto socket = tcp_socket::v6();
  socket.set_only_v6(true);
  EXPECT_TRUE(socket.only_v6());
  socket.set_ttl(5);
  EXPECT_EQ(socket.ttl(), 5u);
  socket.set_tos(8);
  EXPECT_EQ(socket.tos(), 8u);
  socket.bind({ipv6_address::loopback(), 0});
  tcp_listener listener = socket.listen();
  tcp_stream s = co_await tcp_stream::connect(listener.local_address());
  EXPECT_TRUE(s.peer_address().is_ipv6());
}

ASTD_TEST(tcp_socket, options_before_it_listens) {
  auto one = tcp_socket::v4();
  auto other = tcp_socket::v4();
  for (tcp_socket* s : {&one, &other}) {
    EXPECT_FALSE(s->reuse_port());
    s->set_reuse_port(true);
    EXPECT_TRUE(s->reuse_port());
    EXPECT_FALSE(s->reuse_address());
    s->set_reuse_address(true);
    EXPECT_TRUE(s->reuse_address());
    s->set_receive_buffer_size(30'000);
  }
  one.bind({ipv4_address::loopback(), 0});
  other.bind(one.local_address());
  tcp_listener first = one.listen(16);
  tcp_listener second = other.listen(16);
  EXPECT_EQ(first.local_address(), second.local_address());
  EXPECT_EQ(error_of([&] { tcp_socket::v4().bind(first.local_address()); }),
            "bind " + first.local_address().to_string() + ": Address already in use");
  co_return;
}

ASTD_TEST(tcp_socket, connects_from_a_chosen_address) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  auto socket = tcp_socket::v4();
  socket.set_nodelay(true);
  socket.bind({ipv4_address::loopback(), 0});
  const socket_address from = socket.local_address();
  tcp_stream stream = co_await socket.connect(listener.local_address());
  auto accepted = co_await listener.accept();
  EXPECT_EQ(accepted.second, from);
  EXPECT_TRUE(stream.nodelay());
  const auto address = listener.local_address();
  listener = co_await tcp_listener::bind("127.0.0.1:0");
  auto refused = tcp_socket::v4();
  const auto result = co_await as_result(refused.connect(address));
  EXPECT_EQ(result.error(), std::errc::connection_refused);
}

ASTD_TEST(tcp_listener, is_a_stream_of_connections) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_incoming incoming = listener.incoming();
  for (int i = 0; i < 3; ++i) {
    tcp_stream ours = co_await tcp_stream::connect(listener.local_address());
    std::optional<tcp_stream> theirs = co_await incoming.next();
    EXPECT_TRUE(theirs.has_value());
    EXPECT_EQ(theirs->peer_address(), ours.local_address());
  }
  // Cancelled, it leaves the connection to the next.
  auto waiting =
      spawn([](tcp_incoming& from) -> task<std::optional<tcp_stream>> { co_return co_await from.next(); },
            std::ref(incoming));
  const auto none = co_await waiting.cancel();
  EXPECT_FALSE(none.has_value());
  tcp_stream ours = co_await tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  EXPECT_EQ(accepted.second, ours.local_address());

  const socket_address here = listener.local_address();
  tcp_incoming owning = std::move(listener).into_incoming();
  ours = co_await tcp_stream::connect(here);
  std::optional<tcp_stream> theirs = co_await owning.next();
  EXPECT_EQ(theirs->peer_address(), ours.local_address());
}

}  // namespace
}  // namespace astd::net
