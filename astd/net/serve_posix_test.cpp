#include <astd/base/test_descriptors.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/io/read_exact.hpp>
#include <astd/io/write_all.hpp>
#include <astd/net.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/task.hpp>
#include <astd/testing/gtest.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <array>
#include <atomic>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

namespace astd::net {
namespace {

using namespace std::chrono_literals;

task<> echo(tcp_stream stream) {
  std::array<char, 64> buffer;
  for (;;) {
    const std::size_t n = co_await stream.read(buffer);
    if (n == 0) co_return;
    co_await io::write_all(stream, io::const_bytes(buffer.data(), n));
  }
}

task<bool> asks(tcp_stream& stream) {
  std::array<char, 2> answer{};
  co_await io::write_all(stream, "hi");
  const auto got = co_await as_result(io::read_exact(stream, answer));
  co_return got&& answer[0] == 'h';
}

ASTD_TEST(serve, serves_until_it_is_stopped_and_drains) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  const socket_address where = listener.local_address();
  cancel_source stop;
  serve_limits limits;
  limits.stop = stop.token();
  auto serving = spawn(serve(listener, echo, limits));
  tcp_stream one = co_await tcp_stream::connect(where);
  tcp_stream two = co_await tcp_stream::connect(where);
  const bool first = co_await asks(one);
  const bool second = co_await asks(two);
  EXPECT_TRUE(first && second);
  stop.request_cancel();
  for (int i = 0; i < 10; ++i) co_await this_task::yield();
  EXPECT_FALSE(serving.is_finished());
  const bool again = co_await asks(one);
  EXPECT_TRUE(again) << "what was begun goes on";
  co_await one.shutdown_write();
  co_await two.shutdown_write();
  const serve_report report = co_await std::move(serving);
  EXPECT_EQ(report.accepted, 2u);
  EXPECT_EQ(report.finished, 2u);
  EXPECT_EQ(report.failed + report.cut_off + report.refused, 0u);
}

ASTD_TEST(serve, cuts_off_what_drains_too_long) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  cancel_source stop;
  serve_limits limits;
  limits.stop = stop.token();
  limits.drain = 1ms;
  auto serving = spawn(serve(listener, echo, limits));
  tcp_stream client = co_await tcp_stream::connect(listener.local_address());
  const bool answered = co_await asks(client);
  EXPECT_TRUE(answered);
  stop.request_cancel();
  const serve_report report = co_await std::move(serving);
  EXPECT_EQ(report.cut_off, 1u);
  EXPECT_EQ(report.finished, 0u);
  std::array<char, 1> buffer;
  const auto end = co_await as_result(client.read(buffer));
  EXPECT_TRUE(!end || *end == 0);
}

ASTD_TEST(serve, takes_no_more_than_it_may) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  cancel_source stop;
  serve_limits limits;
  limits.stop = stop.token();
  limits.connections = 1;
  auto serving = spawn(serve(listener, echo, limits));
  tcp_stream one = co_await tcp_stream::connect(listener.local_address());
  const bool first = co_await asks(one);
  EXPECT_TRUE(first);
  // It waits in the queue, until there is room.
  tcp_stream two = co_await tcp_stream::connect(listener.local_address());
  auto waiting = spawn(asks, std::ref(two));
  for (int i = 0; i < 20; ++i) co_await this_task::yield();
  EXPECT_FALSE(waiting.is_finished());
  co_await one.shutdown_write();
  const bool second = co_await std::move(waiting);
  EXPECT_TRUE(second);
  co_await two.shutdown_write();
  stop.request_cancel();
  const serve_report report = co_await std::move(serving);
  EXPECT_EQ(report.finished, 2u);
}

ASTD_TEST(serve, has_no_limit_where_none_is_meant) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  cancel_source stop;
  serve_limits limits;
  limits.stop = stop.token();
  limits.connections = std::numeric_limits<std::size_t>::max();
  limits.deadline = limits.drain = std::chrono::nanoseconds::max();
  auto serving = spawn(serve(listener, echo, limits));
  tcp_stream one = co_await tcp_stream::connect(listener.local_address());
  const bool answered = co_await asks(one);
  EXPECT_TRUE(answered);
  co_await one.shutdown_write();
  stop.request_cancel();
  const serve_report report = co_await std::move(serving);
  EXPECT_EQ(report.finished, 1u);
}

task<std::string> error_of(task<serve_report> serving) {
  std::string text;
  try {
    co_await std::move(serving);
  } catch (const std::system_error& e) {
    text = e.what();
  }
  co_return text;
}

ASTD_TEST(serve, refuses_limits_that_let_nobody_in_and_names_them) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  serve_limits nobody;
  nobody.connections = 0;
  const std::string first = co_await error_of(serve(listener, echo, nobody));
  EXPECT_EQ(first, "serve with connections = 0: Invalid argument");
  serve_limits no_peer;
  no_peer.per_peer = 0;
  const std::string second = co_await error_of(serve(listener, echo, no_peer));
  EXPECT_EQ(second, "serve with per_peer = 0: Invalid argument");
}

ASTD_TEST(serve, tells_its_own_deadline_from_a_handlers_timeouts) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  cancel_source stop;
  serve_limits limits;
  limits.stop = stop.token();
  limits.deadline = std::chrono::hours(1);
  auto handler = [](tcp_stream) -> task<> { co_await timeout(1ms, pending()); };
  auto serving = spawn(serve(listener, handler, limits));
  tcp_stream client = co_await tcp_stream::connect(listener.local_address());
  std::array<char, 1> buffer;
  const auto end = co_await as_result(client.read(buffer));
  EXPECT_TRUE(!end || *end == 0);
  stop.request_cancel();
  const serve_report report = co_await std::move(serving);
  EXPECT_EQ(report.failed, 1u);
  EXPECT_EQ(report.timed_out, 0u);
}

// The address of a peer that is copied into its task: for the first connections there is no memory.
struct costly_address : socket_address {
  explicit costly_address(const socket_address& a) : socket_address(a) {}
  costly_address(const costly_address& other) : socket_address(other) {
    if (fail_next > 0 && fail_next-- > 0) throw std::bad_alloc();
  }
  costly_address(costly_address&& other) noexcept : socket_address(other) {}
  static inline std::atomic<int> fail_next{0};
};

struct costly_listener {
  tcp_listener& from;
  task<std::pair<tcp_stream, costly_address>> accept() {
    auto got = co_await from.accept();
    co_return std::pair<tcp_stream, costly_address>(std::move(got.first), costly_address(got.second));
  }
};

ASTD_TEST(serve, out_of_memory_for_a_connection_it_closes_it_and_goes_on) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  cancel_source stop;
  serve_limits limits;
  limits.stop = stop.token();
  costly_address::fail_next = 2;
  auto serving = spawn(serve(costly_listener{listener}, echo, limits));
  for (int i = 0; i < 2; ++i) {
    tcp_stream refused = co_await tcp_stream::connect(listener.local_address());
    std::array<char, 1> buffer;
    const auto end = co_await as_result(refused.read(buffer));
    EXPECT_TRUE(!end || *end == 0);
  }
  tcp_stream client = co_await tcp_stream::connect(listener.local_address());
  const bool answered = co_await asks(client);
  EXPECT_TRUE(answered);
  co_await client.shutdown_write();
  stop.request_cancel();
  const serve_report report = co_await std::move(serving);
  EXPECT_EQ(report.accepted, 3u);
  EXPECT_EQ(report.refused, 2u);
  EXPECT_EQ(report.accept_errors, 2u);
  EXPECT_EQ(report.last_accept_error, std::errc::not_enough_memory);
  EXPECT_EQ(report.finished, 1u);
  EXPECT_EQ(report.cut_off, 0u);
}

// What a listener says that is broken.
struct broken_listener {
  task<std::pair<tcp_stream, socket_address>> accept() {
    co_await fail(std::make_error_code(std::errc::invalid_argument));
  }
  [[nodiscard]] socket_address local_address() const { return socket_address("192.0.2.1:80"); }
};

ASTD_TEST(serve, names_the_address_of_a_broken_listener) {
  const std::string error = co_await error_of(serve(broken_listener(), echo));
  EXPECT_EQ(error, "serve 192.0.2.1:80: Invalid argument");
}

ASTD_TEST(serve, refuses_a_peer_that_has_enough) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  cancel_source stop;
  serve_limits limits;
  limits.stop = stop.token();
  limits.per_peer = 1;
  limits.drain = 0ns;
  auto serving = spawn(serve(listener, echo, limits));
  tcp_stream one = co_await tcp_stream::connect(listener.local_address());
  const bool first = co_await asks(one);
  EXPECT_TRUE(first);
  tcp_stream two = co_await tcp_stream::connect(listener.local_address());
  std::array<char, 1> buffer;
  const auto end = co_await as_result(two.read(buffer));
  EXPECT_TRUE(!end || *end == 0);
  stop.request_cancel();
  const serve_report report = co_await std::move(serving);
  EXPECT_EQ(report.refused, 1u);
}

ASTD_TEST(serve, one_handlers_failure_concerns_nobody_else) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  cancel_source stop;
  serve_limits limits;
  limits.stop = stop.token();
  limits.deadline = 20ms;
  std::atomic<int> count = 0;
  auto handler = [&count](tcp_stream stream, const socket_address& peer) -> task<> {
    EXPECT_NE(peer.port(), 0);
    const int which = count++;
    if (which == 0) throw std::runtime_error("a planted failure");
    if (which == 1) co_await pending();
    co_await io::write_all(stream, "x");
  };
  auto serving = spawn(serve(listener, handler, limits));
  std::array<char, 1> buffer;
  std::size_t last = 0;
  for (int i = 0; i < 3; ++i) {
    tcp_stream client = co_await tcp_stream::connect(listener.local_address());
    const auto got = co_await as_result(client.read(buffer));
    last = got ? *got : 0;
  }
  EXPECT_EQ(last, 1u);
  stop.request_cancel();
  const serve_report report = co_await std::move(serving);
  EXPECT_EQ(report.accepted, 3u);
  EXPECT_EQ(report.failed, 2u);
  EXPECT_EQ(report.timed_out, 1u);
  EXPECT_EQ(report.finished, 1u);
}

ASTD_TEST(serve_at_the_limit, survives_that_descriptors_run_out) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  cancel_source stop;
  serve_limits limits;
  limits.stop = stop.token();
  tcp_stream client = co_await tcp_stream::connect(listener.local_address());
  auto asking = spawn(asks, std::ref(client));
  join_handle<serve_report> serving = [&] {
    const test::no_more_descriptors none;
    auto running = spawn(serve(listener, echo, limits));
    return running;
  }();
  const bool answered = co_await std::move(asking);
  EXPECT_TRUE(answered);
  co_await client.shutdown_write();
  stop.request_cancel();
  const serve_report report = co_await std::move(serving);
  EXPECT_EQ(report.finished, 1u);
}

ASTD_TEST(serve_at_the_limit, waits_and_does_not_spin) {
  tcp_listener listener = co_await tcp_listener::bind("127.0.0.1:0");
  cancel_source stop;
  serve_limits limits;
  limits.stop = stop.token();
  tcp_stream client = co_await tcp_stream::connect(listener.local_address());
  auto asking = spawn(asks, std::ref(client));
  auto serving = [&]() -> task<serve_report> {
    const test::no_more_descriptors none;
    auto running = spawn(serve(listener, echo, limits));
    co_await this_task::sleep_for(20ms);
    stop.request_cancel();
    const serve_report report = co_await std::move(running);
    co_return report;
  };
  const serve_report report = co_await serving();
  EXPECT_EQ(report.accepted, 0u);
  EXPECT_GE(report.accept_errors, 1u);
  EXPECT_LE(report.accept_errors, 8u) << "1 + 2 + 4 + 8 + 16 ms";
  EXPECT_EQ(report.last_accept_error, std::errc::too_many_files_open);
  co_await asking.cancel();
}

ASTD_TEST(serve, local_sockets_too_and_cancelling_it_ends_all) {
  const unix_address here = unix_address::abstract("astd-serve-" + std::to_string(::getpid()));
  auto handler = [](unix_stream stream) -> task<> {
    co_await io::write_all(stream, "x");
    co_await pending();
  };
  unix_listener listening = co_await unix_listener::bind(here);
  auto serving = spawn(serve(std::move(listening), handler));
  unix_stream client = co_await unix_stream::connect(here);
  std::array<char, 1> buffer;
  const std::size_t n = co_await client.read(buffer);
  EXPECT_EQ(n, 1u);
  const auto ended = co_await serving.cancel();
  EXPECT_FALSE(ended);
  const std::size_t end = co_await client.read(buffer);
  EXPECT_EQ(end, 0u);
}

}  // namespace
}  // namespace astd::net
