// At the limit of descriptors every way to a socket fails with the error that says so, and works again afterwards.
#include <astd/base/test_descriptors.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/io/test_support.hpp>
#include <astd/net/resolve.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/net/udp_socket.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/testing/gtest.hpp>

#include <functional>
#include <string>
#include <system_error>
#include <vector>

namespace astd::net {
namespace {

ASTD_TEST(no_descriptors, no_socket_is_made_and_the_error_names_what_for) {
  const tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  const std::string where = listener.local_address().to_string();
  std::vector<std::string> what;
  {
    const test::no_more_descriptors now;
    what.push_back(co_await test::error_of(tcp_stream::connect(where)));
    what.push_back(co_await test::error_of(tcp_listener::bind("127.0.0.1:0")));
    what.push_back(co_await test::error_of(udp_socket::bind("127.0.0.1:0")));
  }
  EXPECT_EQ(what[0], "connect " + where + ": Too many open files");
  EXPECT_EQ(what[1], "bind 127.0.0.1:0: Too many open files");
  EXPECT_EQ(what[2], "bind 127.0.0.1:0: Too many open files");
  const tcp_stream stream = co_await tcp_stream::connect(where);
  EXPECT_EQ(stream.peer_address(), listener.local_address());
}

// getaddrinfo cannot read the system's files then. Whatever it says of that, nobody waits for ever.
ASTD_TEST(no_descriptors, a_name_that_cannot_be_looked_up_is_an_error_and_no_more) {
  std::error_code error;
  {
    const test::no_more_descriptors now;
    const auto found = co_await as_result(lookup_host("descriptors.run.out.invalid:80"));
    if (!found) error = found.error();
  }
  EXPECT_TRUE(error);
  const auto found = co_await lookup_host("localhost:80");
  EXPECT_FALSE(found.empty());
}

// More who want a connection than there are descriptors: some get one, the others an error, and all come to an end.
ASTD_TEST(no_descriptors, many_at_once_end_with_a_connection_or_an_error) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  auto serve = [](tcp_listener& at) -> task<> {
    for (;;) static_cast<void>(co_await as_result(at.accept()));
  };
  auto server = spawn(serve, std::ref(listener));
  auto dial = [](socket_address to) -> task<std::error_code> {
    const auto stream = co_await as_result(tcp_stream::connect(to));
    co_return stream ? std::error_code() : stream.error();
  };
  int good = 0;
  {
    const test::no_more_descriptors now(10);
    std::vector<join_handle<std::error_code>> clients;
    for (int i = 0; i < 200; ++i) clients.push_back(spawn(dial, listener.local_address()));
    for (auto& client : clients) {
      const std::error_code error = co_await client;
      EXPECT_TRUE(!error || error == std::errc::too_many_files_open) << error.message();
      good += !error;
    }
  }
  EXPECT_GT(good, 0);
  co_await server.cancel();
}

}  // namespace
}  // namespace astd::net
