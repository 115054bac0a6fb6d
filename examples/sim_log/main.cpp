// A replicated log over five hosts, simulated until so many faults have struck (100,000, or as the argument says).
#include "scenario.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>

int main(int argc, char** argv) {
  namespace sim = astd::sim;
  const std::uint64_t wanted = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000;

  // Nodes that do not wait for their disks are found out.
  const auto careless =
      sim::hunt({.first_seed = 1, .seeds = 1000, .twice_every = 0, .configuration = replicated::bare_world},
                replicated::careless_nodes);
  if (!careless) return std::puts("without syncing: no seed has found it"), 1;
  std::printf("without syncing, seed %llu\n%s\n", static_cast<unsigned long long>(careless->runs),
              to_string(*careless).c_str());

  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t faults = 0, runs = 0, entries = 0, events = 0;
  double simulated = 0;
  for (std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 0) : astd::random::next(); faults < wanted;
       ++seed) {
    if (runs == 0) {
      std::printf("seeds from %#llx\n", static_cast<unsigned long long>(seed));
      std::fflush(stdout);  // whatever happens then
    }
    sim::report told;
    try {
      entries += sim::run(replicated::bad_world(seed), replicated::careful_nodes, &told);
    } catch (const std::exception& e) {
      std::printf("seed %#llx: %s\n%s", static_cast<unsigned long long>(seed), e.what(), to_string(told).c_str());
      return 1;
    }
    ++runs;
    faults += told.faults;
    events += told.events;
    simulated += std::chrono::duration<double>(told.simulated).count();
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%llu runs, %llu faults, %llu entries acknowledged, none lost\n",
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(faults),
              static_cast<unsigned long long>(entries));
  std::printf("%.0f s: %.2f million events a second, %.0f simulated seconds a second\n", took,
              static_cast<double>(events) / took / 1e6, simulated / took);
}
