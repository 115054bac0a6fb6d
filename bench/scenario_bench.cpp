// What simulating programs costs: the worked examples, run over and over.
//
//   scenario_bench [SECONDS]     5
//
// Prints a line for each:
//
//   SCENARIO name runs_per_s runs_per_hour events_per_s faults_per_s simulated_s_per_s
//
// for each second (hour) of one processor.
#include <examples/sim_election/scenario.hpp>
#include <examples/sim_log/scenario.hpp>
#include <examples/sim_orders/scenario.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

namespace {

// Processor time: the machine may be busy with other work.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Sleeps and wakes alone: what one event of a task costs.
astd::task<> sleeper() {
  using namespace std::chrono_literals;
  for (int i = 0; i < 1000; ++i) co_await astd::this_task::sleep_for(1ms);
}
astd::task<> sleepers(astd::sim::universe& universe) {
  for (int h = 0; h < 10; ++h) universe.add_host("host" + std::to_string(h), sleeper);
  co_await astd::this_task::sleep_for(std::chrono::seconds(2));
}
astd::sim::options plain(std::uint64_t seed) {
  astd::sim::options o;
  o.seed = seed;
  return o;
}

template <class Scenario>
void measure(const char* name, double seconds, astd::sim::options (*configure)(std::uint64_t), Scenario scenario) {
  std::uint64_t runs = 0, events = 0, faults = 0;
  double simulated = 0, took = 0;
  const double begin = processor_seconds();
  do {
    astd::sim::report told;
    scenario(configure(++runs), told);
    events += told.events;
    faults += told.faults;
    simulated += std::chrono::duration<double>(told.simulated).count();
    took = processor_seconds() - begin;
  } while (took < seconds);
  const double n = static_cast<double>(runs);
  std::printf("SCENARIO %s %.0f %.0f %.0f %.0f %.0f\n", name, n / took, n / took * 3600,
              static_cast<double>(events) / took, static_cast<double>(faults) / took, simulated / took);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  namespace sim = astd::sim;
  measure("orders", seconds, shop::bad_network,
          [](const sim::options& o, sim::report& told) { sim::run(o, shop::three_purchases<true>, &told); });
  measure("election", seconds, election::slow_network,
          [](const sim::options& o, sim::report& told) { sim::run(o, election::elections<true>, &told); });
  measure("log", seconds, replicated::bad_world, [](const sim::options& o, sim::report& told) {
    static_cast<void>(sim::run(o, replicated::careful_nodes, &told));
  });
  measure("sleepers", seconds, plain,
          [](const sim::options& o, sim::report& told) { sim::run(o, sleepers, &told); });
}
