#include <astd/base/test_descriptors.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/test_support.hpp>
#include <astd/io/write_all.hpp>
#include <astd/net/socket_address_posix.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

namespace astd::net {
namespace {

ASTD_TEST(tcp_listener, chooses_a_port_and_says_which) {
  const tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  EXPECT_EQ(listener.local_address().ip(), ip_address(ipv4_address::loopback()));
  EXPECT_NE(listener.local_address().port(), 0);
}

ASTD_TEST(tcp_listener, names_the_port_that_is_taken) {
  const tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  const std::string where = listener.local_address().to_string();
  const auto code = co_await as_result(tcp_listener::bind(where));
  EXPECT_EQ(code.error(), std::errc::address_in_use);
  const std::string what = co_await test::error_of(tcp_listener::bind(where));
  EXPECT_EQ(what, "bind " + where + ": Address already in use");
  const std::string by_name =
      co_await test::error_of(tcp_listener::bind({"localhost", listener.local_address().port()}));
  EXPECT_NE(by_name.find("127.0.0.1"), std::string::npos) << by_name;
}

ASTD_TEST(tcp_listener, names_what_is_not_its_own) {
  const std::string what = co_await test::error_of(tcp_listener::bind("192.0.2.1:80"));
  EXPECT_EQ(what, "bind 192.0.2.1:80: Cannot assign requested address");
}

ASTD_TEST(tcp_listener, takes_the_first_address_that_is_free) {
  const tcp_listener taken = co_await tcp_listener::bind("127.0.0.1:0");
  const std::vector either{taken.local_address(), socket_address("127.0.0.1:0")};
  const tcp_listener listener = co_await tcp_listener::bind(either);
  EXPECT_NE(listener.local_address(), taken.local_address());
}

ASTD_TEST(tcp_listener, frees_its_port_at_once) {
  std::optional<tcp_listener> listener = co_await tcp_listener::bind("127.0.0.1:0");
  const socket_address where = listener->local_address();
  // With everything that may stand in the way: an open connection, one that nobody accepted, one that we closed first.
  tcp_stream open = co_await tcp_stream::connect(where);
  auto accepted = co_await listener->accept();
  {
    tcp_stream closed = co_await tcp_stream::connect(where);
    auto closed_first = co_await listener->accept();
    co_await closed_first.first.shutdown(shutdown_how::write);
  }
  tcp_stream waiting = co_await tcp_stream::connect(where);
  listener.reset();
  listener = co_await tcp_listener::bind(where);
  tcp_stream fresh = co_await tcp_stream::connect(where);
  auto again = co_await listener->accept();
  EXPECT_EQ(again.second, fresh.local_address());
  // Whoever was not accepted is told.
  std::array<char, 1> byte;
  const auto end = co_await as_result(waiting.read(byte));
  EXPECT_EQ(end.error(), std::errc::connection_reset);
}

ASTD_TEST(tcp_listener, frees_its_port_after_a_cancelled_accept) {
  std::optional<tcp_listener> listener = co_await tcp_listener::bind("127.0.0.1:0");
  const socket_address where = listener->local_address();
  for (int i = 0; i < 100; ++i) {
    auto accepting =
        spawn([](tcp_listener& at) -> task<> { auto accepted = co_await at.accept(); }, std::ref(*listener));
    for (int k = 0; k < i % 5; ++k) co_await this_task::yield();
    const auto ended = co_await accepting.cancel();
    EXPECT_FALSE(ended);
    listener.reset();
    auto next = co_await as_result(tcp_listener::bind(where));
    EXPECT_TRUE(next) << next.error().message();
    if (!next) co_return;
    listener = std::move(*next);
  }
}

task<std::pair<tcp_stream, socket_address>> accept_one(tcp_listener& at) {
  auto accepted = co_await at.accept();
  co_return accepted;
}

task<> connect_and_say(socket_address to, unsigned char number) {
  tcp_stream stream = co_await tcp_stream::connect(to);
  co_await io::write_all(stream, io::const_bytes(&number, 1));
  std::array<char, 1> end;
  static_cast<void>(co_await as_result(stream.read(end)));
}

ASTD_TEST(tcp_listener, loses_no_connection_to_cancelled_accepts) {
  constexpr std::size_t count = 200;
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  std::vector<join_handle<>> clients;
  std::vector<int> seen(count, 0);
  std::size_t accepted = 0;
  for (unsigned turn = 0; accepted < count; ++turn) {
    if (clients.size() < count && turn % 2 == 0) {
      const auto number = static_cast<unsigned char>(clients.size());
      clients.push_back(spawn(connect_and_say, listener.local_address(), number));
    }
    auto accepting = spawn(accept_one, std::ref(listener));
    for (unsigned k = 0; k < turn % 7; ++k) co_await this_task::yield();
    auto got = co_await accepting.cancel();
    if (!got) continue;
    std::array<unsigned char, 1> number;
    co_await io::read_exact(got->first, number);
    ++seen[number[0]];
    ++accepted;
  }
  for (auto& client : clients) co_await client;
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(count));
}

ASTD_TEST(tcp_listener, is_shared_by_several_tasks) {
  if (test::lacks_descriptors(500)) co_return;
  constexpr std::size_t each = 50;
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  std::vector<join_handle<>> servers;
  std::vector<join_handle<>> clients;
  auto serve = [](tcp_listener& at) -> task<> {
    for (std::size_t i = 0; i < each; ++i) auto accepted = co_await at.accept();
  };
  for (int i = 0; i < 4; ++i) servers.push_back(spawn(serve, std::ref(listener)));
  for (std::size_t i = 0; i < 4 * each; ++i) clients.push_back(spawn(connect_and_say, listener.local_address(), 0));
  for (auto& server : servers) co_await server;
  for (auto& client : clients) static_cast<void>(co_await as_result(client));
}

ASTD_TEST(tcp_listener, reports_that_descriptors_have_run_out_and_recovers) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  tcp_stream client = co_await tcp_stream::connect(listener.local_address());
  co_await io::write_all(client, "x");
  std::vector<std::error_code> errors;
  std::string what;
  {
    const test::no_more_descriptors now;
    for (int i = 0; i < 3; ++i) {
      const auto refused = co_await as_result(listener.accept());
      errors.push_back(refused ? std::error_code() : refused.error());
    }
    what = co_await test::error_of(listener.accept());
  }
  for (const std::error_code& error : errors) EXPECT_EQ(error, std::errc::too_many_files_open);
  EXPECT_EQ(what, "accept at " + listener.local_address().to_string() + ": Too many open files");
  auto accepted = co_await listener.accept();
  EXPECT_EQ(accepted.second, client.local_address());
  std::string byte(1, ' ');
  co_await io::read_exact(accepted.first, byte);
  EXPECT_EQ(byte, "x");
}

ASTD_TEST(tcp_listener, knows_the_peer_of_a_connection_that_was_reset_before) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  sockaddr_storage to;
  const socklen_t size = detail::to_native(listener.local_address(), to);
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&to), size), 0);
  sockaddr_storage name;
  socklen_t name_size = sizeof name;
  EXPECT_EQ(::getsockname(client, reinterpret_cast<sockaddr*>(&name), &name_size), 0);
  const linger reset{1, 0};
  EXPECT_EQ(::setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
  ::close(client);
  auto accepted = co_await listener.accept();
  EXPECT_EQ(accepted.second, detail::from_native(reinterpret_cast<sockaddr*>(&name), name_size));
  std::array<char, 1> byte;
  const auto read = co_await as_result(accepted.first.read(byte));
  EXPECT_EQ(read.error(), std::errc::connection_reset);
}

}  // namespace
}  // namespace astd::net
