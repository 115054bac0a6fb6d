// What decides a simulated world, and what is told of it afterwards.
#pragma once

#include <astd/driver/sim/fault.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace astd::driver::sim {
class trace_reader;
}

namespace astd::sim {

using driver::sim::fault;
using driver::sim::fault_rates;

/// What a packet meets between two hosts. At first each link has the options' link.
struct link {
  std::chrono::nanoseconds latency = std::chrono::microseconds(200);
  /// So much more at most, drawn for each packet; a datagram may so overtake another.
  std::chrono::nanoseconds jitter = std::chrono::microseconds(300);
  /// Bytes a second; 0: no limit.
  std::uint64_t bandwidth = 0;
  /// Probabilities for each packet, beyond what options::faults says: it is lost (TCP sends it again, later), arrives
  /// twice, or is delayed by many times the latency.
  double loss = 0, duplication = 0, reordering = 0;
};

struct options {
  /// Decides everything that is not decided otherwise.
  std::uint64_t seed = 1;

  /// Of each host's runtime; empty: 1 to 3, drawn for each host. All of them take turns on one thread.
  std::optional<unsigned> workers = {};
  sim::link link = {};
  /// How long one turn of a worker takes, and how late a wake arrives: drawn between the two.
  std::chrono::nanoseconds shortest_turn{200}, longest_turn{2'000};
  /// How often an operation that could end at once ends a little later.
  double later = 0.25;
  /// What a TCP socket that sets no sizes of its own keeps in each direction, in bytes: 2 or more.
  std::uint32_t socket_room = 65'536;

  /// How probable each fault is whenever it could strike. None at first.
  fault_rates faults = {};
  /// Not more faults by chance than this.
  std::uint64_t fault_budget = UINT64_MAX;

  /// The run fails with sim::limit_exceeded when it takes more than this: of the world's own time, and of what happens.
  std::chrono::nanoseconds time_limit = std::chrono::hours(24);
  std::uint64_t event_limit = 200'000'000;

  /// For a smaller run that fails like a larger one; what hunt() finds. The order of what happens at the same time is
  /// drawn for the draws with these numbers only; of the faults that would strike, only those with these (ascending)
  /// numbers do.
  std::uint64_t shuffle_from = 0, shuffle_to = UINT64_MAX;
  std::optional<std::vector<std::uint64_t>> only_faults = {};

  /// Is given everything that happens, as it does. Lives longer than the run.
  driver::sim::trace_reader* trace = nullptr;
};

/// A fault that struck.
struct struck {
  std::uint64_t number = 0;
  fault kind{};
  std::chrono::nanoseconds when{0};  // since the world began
  std::string where;                 // a host's name, or none
};

/// How a run went.
struct report {
  std::uint64_t trace_hash = 0;  // of everything that happened: equal for equal runs
  std::uint64_t events = 0;
  std::uint64_t draws = 0;                // of the order of things: what shuffle_from and shuffle_to count
  std::chrono::nanoseconds simulated{0};  // how much time has passed in the world
  std::uint64_t faults = 0;
  std::vector<struck> struck_faults;  // the first 10,000
};

/// "at 1.204 s: crash at db1 (fault 17)", a line each; the last line says how many more there were.
[[nodiscard]] std::string to_string(const report& r, std::size_t most = 30);

/// Options drawn from the seed: how many workers, how long their turns are, how little a socket keeps, how good the
/// links, which faults at all and
/// how often. What one configuration hides another shows. The faults in it are those that a correct program must bear:
/// lost, late and doubled packets, resets, short transfers and spurious readiness. Accidents are chaos()'s.
[[nodiscard]] options swarm(std::uint64_t seed);

/// `o` as the environment wants it: ASTD_SIM_SEED (decimal, or 0x...), ASTD_SIM_FAULTS ("3,17" or "none"),
/// ASTD_SIM_SHUFFLE ("120-180" or "none"). Throws system_error (invalid_argument), naming the variable.
[[nodiscard]] options from_environment(options o);
/// ASTD_SIM_TRACE: whether what happens is printed: 1, or 0 as if it is not set.
[[nodiscard]] bool trace_from_environment();
/// Whether ASTD_SIM_SEED is set. Throws for what says something only if it is, and is there without it.
[[nodiscard]] bool seed_is_in_environment();
/// ASTD_SIM_SEEDS: how many seeds a test takes; 10 if it is not set.
[[nodiscard]] std::uint64_t seeds_from_environment();
/// What of `o` the environment could say, so that from_environment() gives it back:
/// "ASTD_SIM_SEED=0x2a ASTD_SIM_FAULTS=3,17".
[[nodiscard]] std::string to_environment(const options& o);

}  // namespace astd::sim
