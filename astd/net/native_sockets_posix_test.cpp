// Sockets that come from elsewhere, and go there.
#include <astd/coro/as_result.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/write_all.hpp>
#include <astd/net/tcp_halves.hpp>
#include <astd/net/tcp_socket.hpp>
#include <astd/net/udp_socket.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/time/timeout.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace astd::net {
namespace {

ASTD_TEST(native_sockets, change_hands) {
  tcp_listener first = co_await tcp_listener::bind("127.0.0.1:0");
  const socket_address address = first.local_address();
  const os::native_handle borrowed = first.as_native_handle();
  const os::native_handle raw = std::move(first).into_native_handle();
  EXPECT_EQ(raw, borrowed);
  tcp_listener listener = tcp_listener::from_native_handle(raw);
  EXPECT_EQ(listener.local_address(), address);
  tcp_stream ours = co_await tcp_stream::connect(address);
  auto accepted = co_await listener.accept();
  tcp_stream theirs = tcp_stream::from_native_handle(std::move(accepted.first).into_native_handle());
  co_await io::write_all(ours, "hello");
  std::array<char, 5> got;
  co_await io::read_exact(theirs, got);
  EXPECT_EQ(std::string_view(got.data(), got.size()), "hello");
  udp_socket datagrams = co_await udp_socket::bind("127.0.0.1:0");
  const socket_address there = datagrams.local_address();
  datagrams = udp_socket::from_native_handle(std::move(datagrams).into_native_handle());
  EXPECT_EQ(datagrams.local_address(), there);
}

ASTD_TEST(native_sockets, of_a_stream_with_halves_stay) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_stream stream = co_await tcp_stream::connect(listener.local_address());
  auto halves = stream.split();
  EXPECT_GE(stream.as_native_handle(), 0);
  EXPECT_EQ(std::move(stream).into_native_handle(), os::no_handle);
  co_await io::write_all(halves.second, "still open");
}

ASTD_TEST(native_sockets, of_halves_go_with_the_last_of_them) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_stream stream = co_await tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  auto halves = std::move(stream).split();
  EXPECT_EQ(halves.first.as_native_handle(), halves.second.as_native_handle());
  // The reading half has it still; the peer sees no end.
  EXPECT_EQ(std::move(halves.second).into_native_handle(), os::no_handle);
  const os::native_handle raw = std::move(halves.first).into_native_handle();
  EXPECT_GE(raw, 0);
  std::array<char, 8> buffer;
  EXPECT_TRUE(accepted.first.try_read(buffer).is_not_ready());
  {
    tcp_write_half writer = tcp_write_half::from_native_handle(raw);
    co_await io::write_all(writer, "hello");
  }
  const std::size_t n = co_await accepted.first.read(buffer);
  EXPECT_EQ(n, 5u);
  const std::size_t end = co_await accepted.first.read(buffer);
  EXPECT_EQ(end, 0u);
}

ASTD_TEST(native_sockets, from_elsewhere_do_not_block) {
  const int raw = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_GE(raw, 0);
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_socket socket = tcp_socket::from_native_handle(raw);
  tcp_stream stream = co_await socket.connect(listener.local_address());
  EXPECT_NE(::fcntl(stream.as_native_handle(), F_GETFL) & O_NONBLOCK, 0);
  std::array<char, 1> buffer;
  EXPECT_TRUE(stream.try_read(buffer).is_not_ready());
}

}  // namespace
// A write that found room for a part only says nothing of the next one, when the peer has read since.
ASTD_TEST(native_sockets, write_whatever_the_system_takes) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_stream stream = co_await tcp_stream::connect(listener.local_address());
  auto accepted = co_await listener.accept();
  const std::string much(60'000'000, 'x');
  const std::size_t part = co_await stream.write(much);
  EXPECT_LT(part, much.size());
  std::string some(100'000, ' ');
  bool takes = false;
  for (std::size_t drained = 0; !takes && drained + some.size() < part; drained += some.size()) {
    co_await io::read_exact(accepted.first, some);
    co_await this_task::sleep_for(std::chrono::milliseconds(10));  // until that has been acknowledged
    takes = ::send(stream.as_native_handle(), "raw", 3, MSG_DONTWAIT | MSG_NOSIGNAL) == 3;
  }
  EXPECT_TRUE(takes);
  const auto written = co_await as_result(timeout(std::chrono::seconds(5), stream.write("ours")));
  // Unless there was room for those three bytes only.
  const bool full = ::send(stream.as_native_handle(), "raw", 3, MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
  EXPECT_TRUE(written || full);
}

}  // namespace astd::net
