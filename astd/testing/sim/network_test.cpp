#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/random.hpp>
#include <astd/testing/sim_gtest.hpp>
#include <astd/time.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using astd::task;
namespace io = astd::io;
namespace net = astd::net;
namespace sim = astd::sim;

task<> serve_one(net::tcp_stream stream) {
  std::array<char, 64> buffer;
  for (;;) {
    auto n = co_await astd::as_result(stream.read(buffer));
    if (!n || *n == 0) co_return;
    auto written = co_await astd::as_result(io::write_all(stream, std::string_view(buffer.data(), *n)));
    if (!written) co_return;
  }
}

task<> echo() {
  auto listener = co_await net::tcp_listener::bind("0.0.0.0:7");
  for (;;) {
    auto connection = co_await listener.accept();
    astd::spawn(serve_one, std::move(connection.first)).detach();
  }
}

task<std::string> ask(std::string what) {
  auto stream = co_await net::tcp_stream::connect("server:7");
  co_await io::write_all(stream, what);
  std::string answer(what.size(), '\0');
  co_await io::read_exact(stream, answer);
  co_return answer;
}

ASTD_SIM_TEST(sim_network, hosts_reach_each_other_by_name) {
  universe.add_host("server", echo);
  auto& client = universe.add_host("client");
  co_await astd::this_task::sleep_for(1ms);
  auto answer = co_await client.run(ask, std::string("hello"));
  EXPECT_EQ(answer, "hello");
  EXPECT_EQ(universe.find("server").address(), net::ip_address("10.0.0.2"));
}

ASTD_SIM_TEST(sim_network, nothing_passes_a_partition) {
  universe.add_host("server", echo);
  auto& client = universe.add_host("client");
  auto& other = universe.add_host("other");
  co_await astd::this_task::sleep_for(1ms);
  universe.partition("client", "server");
  auto cut = co_await astd::as_result(astd::timeout(10s, client.run(ask, std::string("hello"))));
  EXPECT_FALSE(cut);
  auto beside = co_await other.run(ask, std::string("beside"));
  EXPECT_EQ(beside, "beside");
  universe.heal("client", "server");
  auto healed = co_await client.run(ask, std::string("again"));
  EXPECT_EQ(healed, "again");
  universe.isolate("server");
  auto alone = co_await astd::as_result(astd::timeout(10s, other.run(ask, std::string("hello"))));
  EXPECT_FALSE(alone);
  universe.heal();
  auto back = co_await other.run(ask, std::string("back"));
  EXPECT_EQ(back, "back");
}

ASTD_SIM_TEST(sim_network, what_is_clogged_comes_later) {
  universe.add_host("server", echo);
  auto& client = universe.add_host("client");
  co_await astd::this_task::sleep_for(1ms);
  universe.clog("server");
  auto waiting = client.spawn(ask, std::string("hello"));
  co_await astd::this_task::sleep_for(10s);
  EXPECT_FALSE(waiting.is_finished());
  universe.release("server");
  auto answer = co_await std::move(waiting);
  EXPECT_EQ(answer, "hello");
}

ASTD_SIM_TEST(sim_network, a_crash_is_silent_and_a_restart_is_not) {
  universe.add_host("server", echo);
  auto& client = universe.add_host("client");
  co_await astd::this_task::sleep_for(1ms);
  bool ended = false;
  auto connected = client.spawn(
      [](bool& flag) -> task<> {
        auto stream = co_await net::tcp_stream::connect("server:7");
        std::array<char, 8> buffer;
        auto n = co_await astd::as_result(stream.read(buffer));
        static_cast<void>(n);
        flag = true;
      },
      std::ref(ended));
  co_await astd::this_task::sleep_for(1s);
  universe.crash("server");
  co_await astd::this_task::sleep_for(1min);
  EXPECT_FALSE(ended);  // nobody has told it
  universe.restart("server");
  co_await astd::this_task::sleep_for(1s);
  auto answer = co_await client.run(ask, std::string("hello"));
  EXPECT_EQ(answer, "hello");
  auto stopped = co_await connected.cancel();
  static_cast<void>(stopped);
}

// Whatever the world does meanwhile: who asks again and again is answered in the end.
task<> keep_asking(int& answered) {
  for (;;) {
    auto answer = co_await astd::as_result(astd::timeout(2s, ask("are you there?")));
    if (answer && *answer == "are you there?") ++answered;
    co_await astd::this_task::sleep_for(100ms);
  }
}

ASTD_SIM_TEST_WITH(sim_network, works_again_after_the_chaos, sim::swarm) {
  int& answered = universe.make<int>(0);
  universe.add_host("server", echo);
  universe.add_host("a", [&] { return keep_asking(answered); });
  universe.add_host("b", [&] { return keep_asking(answered); });
  astd::spawn(sim::chaos, std::ref(universe), sim::chaos_options()).detach();
  co_await astd::this_task::sleep_for(1min);
  co_await universe.quiet();
  const int before = answered;
  co_await universe.eventually(1min, [&] { return answered > before + 2; }, "answers after the chaos");
}

}  // namespace
