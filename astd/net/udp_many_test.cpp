// UDP beyond one datagram and one wait: attempts, peeks, batches, segments, broadcast and multicast.
#include <astd/coro/as_result.hpp>
#include <astd/coro/race.hpp>
#include <astd/net/udp_socket.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace astd::net {
namespace {

using both = std::pair<udp_socket, udp_socket>;

task<both> two_sockets() {
  udp_socket a = co_await udp_socket::bind("127.0.0.1:0");
  udp_socket b = co_await udp_socket::bind("127.0.0.1:0");
  co_return both(std::move(a), std::move(b));
}

std::string_view text(const auto& buffer, std::size_t size) { return {buffer.data(), size}; }

ASTD_TEST(udp_many, attempts_say_how_it_stands) {
  both s = co_await two_sockets();
  std::array<char, 16> buffer;
  EXPECT_TRUE(s.first.try_recv(buffer).is_not_ready());
  EXPECT_TRUE(s.first.try_recv_from(buffer).is_not_ready());
  EXPECT_TRUE(s.first.try_peek(buffer).is_not_ready());
  EXPECT_EQ(s.second.try_send_to("hello", s.first.local_address()).value(), 5u);
  co_await s.first.readable();
  EXPECT_EQ(s.first.try_peek(buffer).value(), 5u);
  const auto peeked = s.first.try_peek_from(buffer);
  EXPECT_EQ(peeked.value().second, s.second.local_address());
  const auto got = s.first.try_recv_from(buffer);
  EXPECT_EQ(text(buffer, got.value().first), "hello");
  EXPECT_EQ(got.value().second, s.second.local_address());
  EXPECT_TRUE(s.first.try_recv_from(buffer).is_not_ready());

  EXPECT_EQ(s.first.try_send("to whom?").error(), std::errc::destination_address_required);
  co_await s.first.connect(s.second.local_address());
  co_await s.first.writable();
  EXPECT_EQ(s.first.try_send("connected").value(), 9u);
  co_await s.second.readable();
  EXPECT_EQ(s.second.try_recv(buffer).value(), 9u);
}

ASTD_TEST(udp_many, peeks_leave_the_datagram) {
  both s = co_await two_sockets();
  co_await s.second.send_to("again", s.first.local_address());
  std::array<char, 16> buffer;
  const std::size_t n = co_await s.first.peek(buffer);
  EXPECT_EQ(text(buffer, n), "again");
  const auto peeked = co_await s.first.peek_from(buffer);
  EXPECT_EQ(peeked.first, 5u);
  EXPECT_EQ(peeked.second, s.second.local_address());
  const auto got = co_await s.first.recv_from(buffer);
  EXPECT_EQ(text(buffer, got.first), "again");
  EXPECT_TRUE(s.first.try_recv(buffer).is_not_ready());
}

ASTD_TEST(udp_many, batches_go_and_come_whole) {
  both s = co_await two_sockets();
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) texts.push_back("datagram " + std::to_string(i));
  std::vector<outgoing_datagram> out;
  for (const std::string& t : texts) out.push_back({t, s.first.local_address()});
  std::size_t sent = 0;
  while (sent < out.size()) {
    const std::size_t some = co_await s.second.send_many(std::span(out).subspan(sent));
    EXPECT_LE(some, 32u);
    sent += some;
  }
  std::vector<std::array<char, 12>> buffers(50);
  std::vector<incoming_datagram> in;
  for (auto& b : buffers) in.push_back({b});
  std::size_t received = 0;
  while (received < texts.size()) {
    const std::size_t some = co_await s.first.recv_many(std::span(in).subspan(received));
    EXPECT_GE(some, 1u);
    received += some;
  }
  EXPECT_EQ(received, texts.size());
  for (std::size_t i = 0; i < received; ++i) {
    EXPECT_EQ(text(buffers[i], in[i].size), texts[i]);
    EXPECT_EQ(in[i].from, s.second.local_address());
    EXPECT_FALSE(in[i].is_cut);
  }
  EXPECT_TRUE(s.first.try_recv_many(in).is_not_ready());
  EXPECT_EQ(s.first.try_recv_many(std::span<incoming_datagram>()).value(), 0u);
}

ASTD_TEST(udp_many, a_batch_waits_for_the_first_and_can_be_cancelled) {
  both s = co_await two_sockets();
  std::array<char, 4> buffer;
  std::array<incoming_datagram, 1> in{{{io::mutable_bytes(buffer)}}};
  auto waiting =
      spawn([](udp_socket& from,
               std::span<incoming_datagram> to) -> task<std::size_t> { co_return co_await from.recv_many(to); },
            std::ref(s.first), std::span<incoming_datagram>(in));
  co_await this_task::yield();
  const auto none = co_await waiting.cancel();
  EXPECT_FALSE(none.has_value());
  auto again =
      spawn([](udp_socket& from,
               std::span<incoming_datagram> to) -> task<std::size_t> { co_return co_await from.recv_many(to); },
            std::ref(s.first), std::span<incoming_datagram>(in));
  co_await this_task::yield();
  const std::array<outgoing_datagram, 1> out{{{io::const_bytes("longer"), s.first.local_address()}}};
  EXPECT_EQ(s.second.try_send_many(out).value(), 1u);
  const std::size_t one = co_await again;
  EXPECT_EQ(one, 1u);
  EXPECT_EQ(text(buffer, in[0].size), "long");
  EXPECT_TRUE(in[0].is_cut);
}

ASTD_TEST(udp_many, a_batch_that_cannot_go_says_why) {
  both s = co_await two_sockets();
  const std::array<outgoing_datagram, 1> nowhere{{{io::const_bytes("x"), std::nullopt}}};
  const auto sent = co_await as_result(s.first.send_many(nowhere));
  EXPECT_EQ(sent.error(), std::errc::destination_address_required);
}

task<std::string> receive_all(udp_socket& from, std::size_t size, std::size_t segment) {
  std::string all;
  std::vector<char> buffer(65'535);
  while (all.size() < size) {
    const auto got = co_await from.recv_segmented(buffer);
    EXPECT_LE(got.segment_size, segment);
    EXPECT_TRUE(got.segment_size == segment || all.size() + got.size == size) << got.segment_size;
    all.append(buffer.data(), got.size);
  }
  co_return all;
}

ASTD_TEST(udp_many, segments_arrive_as_datagrams) {
  both s = co_await two_sockets();
  s.first.set_receive_buffer_size(1 << 20);
  std::string sent(70 * 1000 + 17, ' ');
  std::iota(sent.begin(), sent.end(), '\0');
  for (const bool coalescing : {false, true}) {
    if (coalescing && !s.first.set_coalescing(true)) break;  // each comes alone then: that was the first round
    auto receiving = spawn(receive_all, std::ref(s.first), sent.size(), std::size_t{1000});
    co_await s.second.send_segmented(sent, 1000, s.first.local_address());
    const std::string got = co_await receiving;
    EXPECT_TRUE(got == sent);
  }
  co_await s.second.connect(s.first.local_address());
  co_await s.second.send_segmented("abcde", 2);
  const std::string got = co_await receive_all(s.first, 5, 2);
  EXPECT_EQ(got, "abcde");
  const auto wrong = co_await as_result(s.second.send_segmented("abc", 0));
  EXPECT_EQ(wrong.error(), std::errc::invalid_argument);
}

ASTD_TEST(udp_many, one_address_for_several_sockets) {
  udp_socket first = co_await udp_socket::bind("127.0.0.1:0", udp_options().reuse_port(true));
  udp_socket second = co_await udp_socket::bind(first.local_address(), udp_options().reuse_port(true));
  EXPECT_EQ(first.local_address(), second.local_address());
  const auto third = co_await as_result(udp_socket::bind(first.local_address()));
  EXPECT_EQ(third.error(), std::errc::address_in_use);
}

ASTD_TEST(udp_many, has_options) {
  udp_socket s = co_await udp_socket::bind("127.0.0.1:0");
  EXPECT_FALSE(s.broadcast());
  s.set_broadcast(true);
  EXPECT_TRUE(s.broadcast());
  s.set_ttl(3);
  EXPECT_EQ(s.ttl(), 3u);
  s.set_tos(8);
  EXPECT_EQ(s.tos(), 8u);
  EXPECT_FALSE(s.take_error());
}

ASTD_TEST(udp_multicast, comes_to_who_has_joined_until_it_leaves) {
  const ipv4_address group(239, 255, 77, 7), here = ipv4_address::loopback();
  udp_socket member = co_await udp_socket::bind({ipv4_address::any(), 0}, udp_options().reuse_address(true));
  udp_socket sender = co_await udp_socket::bind("127.0.0.1:0");
  member.join_multicast_v4(group, here);
  sender.set_multicast_interface_v4(here);
  EXPECT_EQ(sender.multicast_interface_v4(), here);
  sender.set_multicast_ttl_v4(0);
  EXPECT_EQ(sender.multicast_ttl_v4(), 0u);
  sender.set_multicast_loop_v4(true);
  EXPECT_TRUE(sender.multicast_loop_v4());
  const socket_address to(group, member.local_address().port());
  co_await sender.send_to("members", to);
  std::array<char, 16> buffer;
  const auto got = co_await member.recv_from(buffer);
  EXPECT_EQ(text(buffer, got.first), "members");
  EXPECT_EQ(got.second, sender.local_address());
  member.leave_multicast_v4(group, here);
  std::string error;
  try {
    member.leave_multicast_v4(group, here);
  } catch (const std::system_error& e) {
    error = e.what();
  }
  EXPECT_EQ(error, "leave multicast group 239.255.77.7: Cannot assign requested address");
}

ASTD_TEST(udp_multicast, of_ipv6_has_its_options) {
  udp_socket s = co_await udp_socket::bind("[::1]:0", udp_options().only_v6(true));
  s.set_multicast_loop_v6(false);
  EXPECT_FALSE(s.multicast_loop_v6());
  s.set_multicast_hops_v6(4);
  EXPECT_EQ(s.multicast_hops_v6(), 4u);
  const ipv6_address group = *ipv6_address::parse("ff01::77");
  s.set_multicast_interface_v6(1);  // the loopback interface, on Linux
  EXPECT_EQ(s.multicast_interface_v6(), 1u);
  s.join_multicast_v6(group, 1);
  s.leave_multicast_v6(group, 1);
}

}  // namespace
}  // namespace astd::net
