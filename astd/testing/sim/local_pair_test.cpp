#include <astd/driver/sim/machine.hpp>
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/net.hpp>
#include <astd/task.hpp>
#include <astd/testing/sim_gtest.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

namespace {

using namespace std::chrono_literals;
using astd::task;
using astd::net::unix_stream;
namespace io = astd::io;
namespace sim = astd::sim;

task<> writes(unix_stream& to, std::string what) {
  co_await io::write_all(to, what);
  co_await to.shutdown_write();
}

task<std::string> reads_all(unix_stream& from) {
  std::string all;
  std::array<char, 3000> some;
  for (;;) {
    const std::size_t n = co_await from.read(some);
    if (n == 0) co_return all;
    all.append(some.data(), n);
  }
}

sim::options with_short_transfers(std::uint64_t seed) {
  sim::options o = sim::swarm(seed);
  o.faults = sim::fault_rates().set(sim::fault::short_transfer, 0.3).set(sim::fault::spurious_readiness, 0.1);
  return o;
}

ASTD_SIM_TEST_WITH(sim_local_pair, carries_bytes_both_ways_and_the_ends, with_short_transfers) {
  auto& h = universe.add_host("host");
  co_await h.run([]() -> task<> {
    auto ends = unix_stream::pair();
    const std::string there(200'000, 'x'), back(5'000, 'y');
    auto writing = astd::spawn(writes, std::ref(ends.first), there);
    auto answering = astd::spawn(writes, std::ref(ends.second), back);
    const std::string got = co_await reads_all(ends.second);
    EXPECT_EQ(got, there);
    const std::string answer = co_await reads_all(ends.first);
    EXPECT_EQ(answer, back);
    co_await std::move(writing);
    co_await std::move(answering);
  });
  EXPECT_EQ(h.machine().descriptors_open(), 0);
}

ASTD_SIM_TEST(sim_local_pair, who_writes_waits_when_it_is_full_and_fails_when_nobody_is_there) {
  auto ends = unix_stream::pair();
  auto fill = [](unix_stream& to) -> task<std::error_code> {
    const auto result = co_await astd::as_result(io::write_all(to, std::string(1'000'000, 'x')));
    co_return result ? std::error_code() : result.error();
  };
  auto writing = astd::spawn(fill, std::ref(ends.first));
  co_await astd::this_task::sleep_for(1s);
  EXPECT_FALSE(writing.is_finished());
  std::array<char, 1000> some;
  co_await io::read_exact(ends.second, some);
  {
    const unix_stream gone = std::move(ends.second);
  }
  const std::error_code error = co_await std::move(writing);
  EXPECT_EQ(error, std::errc::broken_pipe);
  // What it had not read is lost, and this end is told.
  auto reset = unix_stream::pair();
  co_await io::write_all(reset.first, "never read");
  {
    const unix_stream gone = std::move(reset.second);
  }
  const auto got = co_await astd::as_result(reset.first.read(some));
  EXPECT_EQ(got.error(), std::errc::connection_reset);
}

ASTD_SIM_TEST(sim_local_pair, a_wait_with_a_deadline_times_out) {
  auto ends = unix_stream::pair();
  std::array<char, 1> byte;
  const auto reading = co_await astd::as_result(astd::timeout(1s, ends.first.read(byte)));
  EXPECT_EQ(reading.error(), std::errc::timed_out);
  co_await io::write_all(ends.second, "x");
  const std::size_t n = co_await ends.first.read(byte);
  EXPECT_EQ(n, 1u);
}

}  // namespace
