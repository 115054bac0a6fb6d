// Connecting to one of several addresses, RFC 8305: on the clock of a simulated world.
#include <astd/future.hpp>
#include <astd/net.hpp>
#include <astd/net/connect.hpp>
#include <astd/task.hpp>
#include <astd/testing/sim_gtest.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <system_error>
#include <vector>

namespace {

using namespace astd;
using namespace std::chrono_literals;

task<> serve(net::endpoint where) {
  auto listener = co_await net::tcp_listener::bind(where);
  for (;;) {
    auto accepted = co_await listener.accept();
    std::array<char, 1> buffer;
    (void)co_await as_result(accepted.first.read(buffer));
  }
}
task<> serve_at_80() { return serve({net::ipv4_address::any(), 80}); }

struct result {
  std::string peer;
  std::chrono::nanoseconds taken;
};

task<result> connect(std::vector<net::socket_address> where) {
  const auto begin = steady_clock::now();
  std::string peer;
  try {
    auto stream = co_await net::tcp_stream::connect(where);
    peer = stream.peer_address().to_string();
  } catch (const std::system_error& e) {
    peer = e.what();
  }
  co_return result{peer, steady_clock::now() - begin};
}

// In an awaiting expression GCC 12 takes no braces.
template <class... Address>
std::vector<net::socket_address> in_turn(const Address&... address) {
  return {address...};
}

task<result> connect_to_name(std::string where) {
  const auto begin = steady_clock::now();
  auto stream = co_await net::tcp_stream::connect(where);
  co_return result{stream.peer_address().to_string(), steady_clock::now() - begin};
}

task<net::socket_address> address_of(std::string where) {
  auto found = co_await net::lookup_host(where);
  co_return found.front();
}

ASTD_SIM_TEST(happy_eyeballs, an_address_that_is_silent_costs_a_quarter_of_a_second) {
  universe.add_host("silent");
  universe.add_host("mute");
  universe.add_host("good", serve_at_80);
  auto& client = universe.add_host("client");
  universe.add_name("all", "silent");
  universe.add_name("all", "mute");
  universe.add_name("all", "good");
  co_await this_task::sleep_for(1ms);
  universe.partition("client", "silent");
  universe.partition("client", "mute");
  const auto good = co_await client.run(address_of, std::string("good:80"));
  const auto silent = co_await client.run(address_of, std::string("silent:80"));
  auto named = co_await client.run(connect_to_name, std::string("all:80"));
  EXPECT_EQ(named.peer, good.to_string());
  EXPECT_GE(named.taken, 500ms);
  EXPECT_LT(named.taken, 600ms);
  auto one = co_await client.run(connect, in_turn(silent, good));
  EXPECT_EQ(one.peer, good.to_string());
  EXPECT_GE(one.taken, 250ms);
  EXPECT_LT(one.taken, 350ms);
  // The first that answers wins, though a silent one stands behind it.
  auto first = co_await client.run(connect, in_turn(good, silent));
  EXPECT_EQ(first.peer, good.to_string());
  EXPECT_LT(first.taken, 100ms);
}

ASTD_SIM_TEST(happy_eyeballs, a_refusal_costs_no_wait_and_is_named) {
  universe.add_host("closed");
  universe.add_host("good", serve_at_80);
  auto& client = universe.add_host("client");
  co_await this_task::sleep_for(1ms);
  const auto good = co_await client.run(address_of, std::string("good:80"));
  const auto closed = co_await client.run(address_of, std::string("closed:80"));
  auto connected = co_await client.run(connect, in_turn(closed, closed, good));
  EXPECT_EQ(connected.peer, good.to_string());
  EXPECT_LT(connected.taken, 100ms);
  const net::socket_address other(good.ip(), 81);
  auto refused = co_await client.run(connect, in_turn(closed, other));
  EXPECT_EQ(refused.peer, "connect " + closed.to_string() + ", " + other.to_string() + ": Connection refused");
}

ASTD_SIM_TEST(happy_eyeballs, a_slow_address_may_still_win) {
  universe.add_host("slow", serve_at_80);
  universe.add_host("silent");
  auto& client = universe.add_host("client");
  co_await this_task::sleep_for(1ms);
  const auto slow = co_await client.run(address_of, std::string("slow:80"));
  const auto silent = co_await client.run(address_of, std::string("silent:80"));
  universe.clog("slow");
  universe.partition("client", "silent");
  auto connecting = client.spawn(connect, in_turn(slow, silent));
  co_await this_task::sleep_for(600ms);
  EXPECT_FALSE(connecting.is_finished());
  universe.release("slow");
  auto connected = co_await std::move(connecting);
  EXPECT_EQ(connected.peer, slow.to_string());
}

ASTD_SIM_TEST(happy_eyeballs, no_more_than_sixteen_are_tried_at_a_time) {
  universe.add_host("silent");
  universe.add_host("good", serve_at_80);
  auto& client = universe.add_host("client");
  co_await this_task::sleep_for(1ms);
  const auto good = co_await client.run(address_of, std::string("good:80"));
  const auto silent = co_await client.run(address_of, std::string("silent:80"));
  universe.partition("client", "silent");
  std::vector<net::socket_address> fifteen(15, silent);
  fifteen.push_back(good);
  auto last = co_await client.run(connect, fifteen);
  EXPECT_EQ(last.peer, good.to_string());
  EXPECT_LT(last.taken, 5s);
  std::vector<net::socket_address> sixteen(16, silent);
  sixteen.push_back(good);
  auto one_more = co_await client.run(connect, sixteen);
  EXPECT_EQ(one_more.peer, good.to_string());
  EXPECT_GT(one_more.taken, 30s) << "it waited until one of those before was given up";
}

ASTD_SIM_TEST(happy_eyeballs, cancelling_ends_all_attempts) {
  universe.add_host("silent");
  auto& client = universe.add_host("client");
  co_await this_task::sleep_for(1ms);
  const auto silent = co_await client.run(address_of, std::string("silent:80"));
  universe.partition("client", "silent");
  for (const auto after : {0ms, 100ms, 250ms, 300ms, 700ms}) {
    auto connecting = client.spawn(connect, in_turn(silent, silent, silent));
    co_await this_task::sleep_for(after);
    auto ended = co_await connecting.cancel();
    EXPECT_FALSE(ended.has_value());
  }
}

TEST(happy_eyeballs, families_take_turns) {
  using net::socket_address;
  std::vector<socket_address> all{socket_address("[2001:db8::1]:1"), socket_address("[2001:db8::2]:1"),
                                  socket_address("[2001:db8::3]:1"), socket_address("192.0.2.1:1"),
                                  socket_address("192.0.2.2:1")};
  net::detail::interleave(all);
  const std::vector<socket_address> expected{socket_address("[2001:db8::1]:1"), socket_address("192.0.2.1:1"),
                                             socket_address("[2001:db8::2]:1"), socket_address("192.0.2.2:1"),
                                             socket_address("[2001:db8::3]:1")};
  EXPECT_EQ(all, expected);
  std::vector<socket_address> none;
  net::detail::interleave(none);
  EXPECT_TRUE(none.empty());
}

}  // namespace
