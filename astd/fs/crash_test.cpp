// What a loss of power leaves of a file that is replaced: the content that was acknowledged last, or a later one, whole.
#include <astd/fs.hpp>
#include <astd/random.hpp>
#include <astd/testing/sim_gtest.hpp>
#include <astd/this_task.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace astd::fs {
namespace {

struct account {
  std::uint64_t acknowledged = 0;
};

std::string content(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return digits + std::string(10'000, 'x') + digits;
}

task<> keep_replacing(account& of) {
  for (std::uint64_t next = of.acknowledged + 1;; ++next) {
    co_await write_atomic("/tmp/state", content(next));
    of.acknowledged = next;
  }
}

task<std::string> look() {
  std::string text = co_await read_to_string("/tmp/state");
  co_return text;
}

ASTD_SIM_TEST(fs_write_atomic, survives_a_loss_of_power) {
  using namespace std::chrono_literals;
  auto& kept = universe.make<account>();
  auto& server = universe.add_host("server", [&kept] { return keep_replacing(kept); });
  for (int crash = 0; crash < 20; ++crash) {
    co_await this_task::sleep_for(5ms + std::chrono::microseconds(random::below(5000)));
    universe.crash(server);
    const std::uint64_t promised = kept.acknowledged;
    universe.restart(server);
    while (!server.is_up()) co_await this_task::sleep_for(10us);
    if (promised == 0) continue;
    const std::string found = co_await server.run(look);
    const std::uint64_t number = std::stoull(found);
    EXPECT_GE(number, promised);
    EXPECT_EQ(found, content(number));
  }
  EXPECT_GT(kept.acknowledged, 20u);
}

}  // namespace
}  // namespace astd::fs
