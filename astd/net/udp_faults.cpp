// Datagrams in batches and in segments, peeks and readiness under fault: what was sent arrives, or is still there. See
// tests/faults/faults.hpp.
#include <astd/future.hpp>
#include <astd/net.hpp>
#include <astd/task.hpp>

#include <tests/faults/faults.hpp>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;
using faults::report;
using faults::scenario;

struct two_udp_sockets : scenario {
  explicit two_udp_sockets(runtime& on) : rt(on) {
    ours.emplace(rt.block_on(net::udp_socket::bind("127.0.0.1:0")));
    theirs.emplace(rt.block_on(net::udp_socket::bind("127.0.0.1:0")));
    to_us = ours->local_address();
  }
  void send_one() {
    if (sent < wanted && ++calls % 3 == 0 && theirs->try_send_to("datagram", to_us).is_ready()) ++sent;
  }
  /// Those that nobody has taken yet.
  void take_the_rest() {
    std::array<char, 16> buffer;
    while (received < sent) {
      const auto late = rt.block_on(as_result(timeout(10s, ours->recv_from(buffer))));
      EXPECT_TRUE(late) << "a datagram was lost";
      if (!late) return;
      ++received;
    }
    EXPECT_TRUE(ours->try_recv(buffer).is_not_ready()) << "a datagram came twice";
  }
  static constexpr std::size_t wanted = 4;
  runtime& rt;
  std::optional<net::udp_socket> ours, theirs;
  net::socket_address to_us;
  std::size_t calls = 0, sent = 0, received = 0;
};

struct udp_receive_many final : two_udp_sockets {
  using two_udp_sockets::two_udp_sockets;
  task<> operation() override {
    std::array<std::array<char, 16>, 3> buffers;
    std::array<net::incoming_datagram, 3> in;
    for (std::size_t i = 0; i < in.size(); ++i) in[i].buffer = buffers[i];
    while (received < wanted) {
      const auto some = co_await ours->recv_many(in);
      received += some;
    }
  }
  void meanwhile() override { send_one(); }
  void check(const report&) override { take_the_rest(); }
};
ASTD_SCENARIO(udp_receive_many);

struct udp_peek_and_attempt final : two_udp_sockets {
  using two_udp_sockets::two_udp_sockets;
  task<> operation() override {
    std::array<char, 16> buffer;
    while (received < wanted) {
      const auto size = co_await ours->peek(buffer);
      EXPECT_EQ(size, 8u);
      const auto from = co_await ours->peek_from(buffer);
      EXPECT_EQ(from.second, theirs->local_address());
      co_await ours->readable();
      const auto taken = ours->try_recv_from(buffer);
      if (taken.is_error()) co_await fail(taken.error());
      if (taken.is_ready()) ++received;
    }
  }
  void meanwhile() override { send_one(); }
  void check(const report&) override { take_the_rest(); }
};
ASTD_SCENARIO(udp_peek_and_attempt);

struct udp_send_many final : two_udp_sockets {
  using two_udp_sockets::two_udp_sockets;
  task<> operation() override {
    std::array<net::outgoing_datagram, 3> out;
    for (auto& d : out) d = {io::const_bytes("datagram"), to_us};
    for (int i = 0; i < 2; ++i) {
      const auto some = co_await theirs->send_many(out);
      sent += some;
    }
  }
  void check(const report&) override { take_the_rest(); }
};
ASTD_SCENARIO(udp_send_many);

struct udp_send_segmented final : two_udp_sockets {
  using two_udp_sockets::two_udp_sockets;
  task<> operation() override {
    co_await theirs->send_segmented(io::const_bytes("datagramdatagramdatagram"), 8, to_us);
    sent = 3;
  }
  void check(const report&) override {
    if (sent == 3) return take_the_rest();
    // Not all were sent; those that were are whole.
    std::array<char, 16> buffer;
    for (auto one = ours->try_recv(buffer); one.is_ready(); one = ours->try_recv(buffer))
      EXPECT_EQ(one.value(), 8u);
  }
};
ASTD_SCENARIO(udp_send_segmented);

// Whole bytes in several buffers, and what is given at an attempt.
struct tcp_several_buffers final : scenario {
  explicit tcp_several_buffers(runtime& on) : rt(on) {
    auto listener = rt.block_on(net::tcp_listener::bind("127.0.0.1:0"));
    theirs.emplace(rt.block_on(net::tcp_stream::connect(listener.local_address())));
    ours.emplace(std::move(rt.block_on(listener.accept()).first));
    theirs->set_linger(0s);  // no address of ours lingers
  }
  ~tcp_several_buffers() override { theirs.reset(); }
  task<> operation() override {
    std::array<char, 2> a, b;
    const std::array<io::mutable_bytes, 2> into{io::mutable_bytes(a), io::mutable_bytes(b)};
    while (got < wanted) {
      co_await ours->readable();
      const auto some = ours->try_read_vectored(into);
      if (some.is_error()) co_await fail(some.error());
      if (some.is_ready()) got += some.value();
      if (got >= wanted) break;
      const auto peeked = co_await ours->peek(a);
      const auto read = co_await ours->read_vectored(into);
      EXPECT_GE(read, peeked);
      got += read;
    }
  }
  void meanwhile() override {
    if (sent >= wanted || ++calls % 4 != 0) return;
    const auto some = theirs->try_write("abcde");
    if (some.is_ready()) sent += some.value();
  }
  void check(const report&) override {
    while (got < sent) {
      std::array<char, 64> rest;
      const std::size_t n = rt.block_on(ours->read(rest));
      if (n == 0) break;
      got += n;
    }
    EXPECT_EQ(got, sent) << "every byte, once";
  }
  static constexpr std::size_t wanted = 20;
  runtime& rt;
  std::optional<net::tcp_stream> ours, theirs;
  std::size_t calls = 0, sent = 0, got = 0;
};
ASTD_SCENARIO(tcp_several_buffers);

}  // namespace
