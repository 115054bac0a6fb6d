// Nothing is lost or done twice by what is cancelled at any moment, in worlds with small buffers and much that goes wrong.
#include <astd/channel.hpp>
#include <astd/mutex.hpp>
#include <astd/net/tcp_listener.hpp>
#include <astd/net/tcp_stream.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/semaphore.hpp>
#include <astd/testing/sim/interrupted.hpp>
#include <astd/testing/sim_gtest.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace {

using namespace astd;
using namespace std::chrono_literals;

ASTD_SIM_TEST_WITH(sim_interrupted, a_channel_loses_nothing, sim::swarm) {
  static_cast<void>(universe);
  auto [tx, rx] = channel<int>(2);
  auto sending = spawn(
      [](sender<int> to) -> task<> {
        for (int i = 0; i < 100;) {
          auto sent = co_await sim::interrupted(to.send(i));
          if (sent) ++i;
        }
      },
      std::move(tx));
  int expected = 0;
  for (;;) {
    auto got = co_await sim::interrupted(rx.recv());
    if (!got) continue;
    if (!*got) break;
    EXPECT_EQ(**got, expected++);
  }
  EXPECT_EQ(expected, 100);
  co_await sending;
}

ASTD_SIM_TEST_WITH(sim_interrupted, locks_and_permits_come_back, sim::swarm) {
  static_cast<void>(universe);
  astd::mutex m;
  counting_semaphore<> s(2);
  int inside = 0, within = 0;
  auto works = [&]() -> task<> {
    for (int i = 0; i < 50; ++i) {
      {
        auto lock = co_await sim::interrupted(m.lock());
        if (lock) {
          EXPECT_EQ(++inside, 1);
          co_await this_task::yield();
          --inside;
        }
      }
      auto permit = co_await sim::interrupted(s.acquire_permit());
      if (permit) {
        EXPECT_LE(++within, 2);
        co_await this_task::yield();
        --within;
      }
    }
  };
  auto a = spawn(works);
  auto b = spawn(works);
  auto c = spawn(works);
  co_await a;
  co_await b;
  co_await c;
  EXPECT_TRUE(m.try_lock());
  EXPECT_EQ(s.available(), 2);
}

// Byte i of what is sent.
char letter(std::size_t i) { return static_cast<char>('a' + i % 23); }
constexpr std::size_t all = 5'000;

task<> writes(net::tcp_stream& to) {
  std::array<char, 700> buffer;
  for (std::size_t sent = 0; sent < all;) {
    const std::size_t n = std::min(buffer.size(), all - sent);
    for (std::size_t i = 0; i < n; ++i) buffer[i] = letter(sent + i);
    auto written = co_await sim::interrupted(to.write(io::const_bytes(buffer).take(n)));
    if (written) sent += *written;
  }
}

// No resets: there the end of a connection is not the end of what was written.
sim::options without_resets(std::uint64_t seed) {
  auto o = sim::swarm(seed);
  o.faults.set(sim::fault::connection_reset, 0);
  o.faults.set(sim::fault::connection_aborted, 0);
  o.link.latency = std::min<std::chrono::nanoseconds>(o.link.latency, 1ms);
  if (seed % 2) o.socket_room = static_cast<std::uint32_t>(2 + seed % 100);
  o.link.jitter = std::min<std::chrono::nanoseconds>(o.link.jitter, 1ms);
  return o;
}

ASTD_SIM_TEST_WITH(sim_interrupted, a_connection_loses_nothing, without_resets) {
  universe.add_host("server", []() -> task<> {
    auto listener = co_await net::tcp_listener::bind("0.0.0.0:7");
    auto accepted = co_await listener.accept();
    co_await writes(accepted.first);
  });
  auto& client = universe.add_host("client");
  const auto reads = []() -> task<std::size_t> {
    co_await this_task::sleep_for(100ms);
    auto stream = co_await net::tcp_stream::connect("server:7");
    std::array<char, 300> buffer;
    for (std::size_t got = 0;;) {
      auto n = co_await sim::interrupted(stream.read(buffer));
      if (!n) continue;
      if (*n == 0) co_return got;
      for (std::size_t i = 0; i < *n; ++i) EXPECT_EQ(buffer[i], letter(got + i));
      got += *n;
    }
  };
  auto got = co_await client.run(reads);
  EXPECT_EQ(got, all);
}

}  // namespace
