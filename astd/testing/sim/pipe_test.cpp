#include <astd/driver/sim/machine.hpp>
#include <astd/future.hpp>
#include <astd/io.hpp>
#include <astd/os.hpp>
#include <astd/task.hpp>
#include <astd/testing/sim_gtest.hpp>
#include <astd/this_task.hpp>
#include <astd/time.hpp>

#include <array>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

namespace {

using namespace std::chrono_literals;
using astd::task;
namespace os = astd::os;
namespace io = astd::io;
namespace sim = astd::sim;

task<> writes(os::pipe_writer to, std::string what) { co_await io::write_all(to, what); }

task<std::string> reads_all(os::pipe_reader from, std::size_t at_a_time) {
  std::string all, some(at_a_time, '\0');
  for (;;) {
    const std::size_t n = co_await from.read(io::mutable_bytes(some.data(), some.size()));
    if (n == 0) co_return all;
    all.append(some, 0, n);
  }
}

std::string numbered(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  return text;
}

sim::options with_short_transfers(std::uint64_t seed) {
  sim::options o = sim::swarm(seed);
  o.faults = sim::fault_rates().set(sim::fault::short_transfer, 0.3).set(sim::fault::spurious_readiness, 0.1);
  return o;
}

ASTD_SIM_TEST_WITH(sim_pipe, carries_all_bytes_in_order_and_then_the_end, with_short_transfers) {
  auto& h = universe.add_host("host");
  co_await h.run([]() -> task<> {
    auto ends = os::pipe();
    const std::string text = numbered(150'000);
    auto writing = astd::spawn(writes, std::move(ends.second), text);
    const std::string got = co_await reads_all(std::move(ends.first), 10'007);
    EXPECT_EQ(got, text);
    co_await std::move(writing);
  });
  EXPECT_EQ(h.machine().descriptors_open(), 0);
}

ASTD_SIM_TEST(sim_pipe, who_writes_waits_when_it_is_full) {
  auto ends = os::pipe();
  std::string some(1000, 'x');
  std::size_t written = 0;
  for (;;) {
    const auto n = ends.second.try_write(some);
    if (n.is_not_ready()) break;
    written += n.value();
  }
  EXPECT_EQ(written, 65'000u) << "up to 4096 bytes go whole";
  auto writing =
      astd::spawn([](os::pipe_writer& to) -> task<> { co_await io::write_all(to, std::string(1000, 'y')); },
                  std::ref(ends.second));
  co_await astd::this_task::sleep_for(1s);
  EXPECT_FALSE(writing.is_finished());
  std::array<char, 1000> first;
  co_await io::read_exact(ends.first, first);
  co_await std::move(writing);
  // A large one takes what room there is.
  const std::size_t n = co_await ends.second.write(std::string(100'000, 'z'));
  EXPECT_EQ(n, 536u);
}

ASTD_SIM_TEST(sim_pipe, without_readers_it_is_broken_also_for_who_waits) {
  auto ends = os::pipe();
  auto full = [](os::pipe_writer& to) -> task<std::error_code> {
    for (;;) {
      const auto result = co_await astd::as_result(to.write(std::string(50'000, 'x')));
      if (!result) co_return result.error();
    }
  };
  auto writing = astd::spawn(full, std::ref(ends.second));
  co_await astd::this_task::sleep_for(1ms);
  EXPECT_FALSE(writing.is_finished());
  co_await ends.first.close();
  const std::error_code error = co_await std::move(writing);
  EXPECT_EQ(error, std::errc::broken_pipe);
  const auto again = co_await astd::as_result(ends.second.write("x"));
  EXPECT_EQ(again.error(), std::errc::broken_pipe);
  co_await ends.second.writable();
}

ASTD_SIM_TEST(sim_pipe, a_cancelled_read_takes_nothing) {
  auto ends = os::pipe();
  char next = 0;
  for (int turns = 0; turns < 20; ++turns) {
    auto one = [](os::pipe_reader& from) -> task<char> {
      std::array<char, 1> byte;
      co_await from.read(byte);
      co_return byte[0];
    };
    auto reading = astd::spawn(one, std::ref(ends.first));
    const char sent = static_cast<char>(turns);
    co_await ends.second.write(io::const_bytes(&sent, 1));
    auto got = co_await reading.cancel();
    if (!got) got = co_await one(ends.first);
    EXPECT_EQ(*got, next);
    ++next;
  }
}

ASTD_SIM_TEST(sim_pipe, a_wait_with_a_deadline_times_out) {
  auto ends = os::pipe();
  std::array<char, 1> byte;
  const auto reading = co_await astd::as_result(astd::timeout(1s, ends.first.read(byte)));
  EXPECT_EQ(reading.error(), std::errc::timed_out);
  const auto waiting = co_await astd::as_result(astd::timeout(1s, ends.first.readable()));
  EXPECT_EQ(waiting.error(), std::errc::timed_out);
}

ASTD_SIM_TEST(sim_pipe, descriptors_are_counted_and_may_run_out) {
  auto& h = universe.add_host("host");
  h.set_descriptor_limit(3);
  co_await h.run([]() -> task<> {
    const auto first = os::pipe();
    try {
      const auto second = os::pipe();
      ADD_FAILURE() << "four of three";
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), std::errc::too_many_files_open);
    }
    co_return;
  });
  EXPECT_EQ(h.machine().descriptors_open(), 0);
}

ASTD_SIM_TEST(sim_pipe, a_crash_ends_who_waits) {
  auto& h = universe.add_host("host");
  auto waiting = h.spawn([]() -> task<> {
    auto ends = os::pipe();
    std::array<char, 1> byte;
    co_await ends.first.read(byte);
  });
  co_await astd::this_task::sleep_for(1ms);
  universe.crash(h);
  const auto ended = co_await astd::as_result(std::move(waiting));
  EXPECT_EQ(ended.error(), std::errc::operation_canceled);
}

TEST(sim_pipe, two_runs_are_one) {
  const auto scenario = [](sim::universe&) -> task<> {
    auto ends = os::pipe();
    auto writing = astd::spawn(writes, std::move(ends.second), numbered(100'000));
    const std::string got = co_await reads_all(std::move(ends.first), 1'000);
    EXPECT_EQ(got.size(), numbered(100'000).size());
    co_await std::move(writing);
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    sim::report one, other;
    sim::run(sim::swarm(seed), scenario, &one);
    sim::run(sim::swarm(seed), scenario, &other);
    EXPECT_EQ(one.trace_hash, other.trace_hash) << seed;
  }
}

}  // namespace
