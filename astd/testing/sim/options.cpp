#include <astd/base/error.hpp>
#include <astd/driver/sim/random.hpp>
#include <astd/runtime/seed.hpp>
#include <astd/testing/sim/options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <iterator>

namespace astd::sim {
namespace {

using astd::detail::read_number;
constexpr std::uint64_t swarm_stream = 102;

[[noreturn]] void refuse(const char* variable, std::string_view value, const char* wanted) {
  astd::detail::throw_failure(failure(std::make_error_code(std::errc::invalid_argument), variable,
                                      "= '" + std::string(value) + "', but it must be " + wanted));
}

bool read_faults(std::string_view text, std::vector<std::uint64_t>& faults) {
  if (text == "none") return true;
  for (;;) {
    const std::size_t comma = text.find(',');
    std::uint64_t number = 0;
    if (!read_number(text.substr(0, comma), number)) return false;
    faults.push_back(number);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  std::ranges::sort(faults);
  return true;
}

bool read_shuffle(std::string_view text, options& o) {
  if (text == "none") {
    o.shuffle_from = o.shuffle_to = 0;
    return true;
  }
  const std::size_t dash = text.find('-');
  return dash != std::string_view::npos && read_number(text.substr(0, dash), o.shuffle_from) &&
         read_number(text.substr(dash + 1), o.shuffle_to) && o.shuffle_from <= o.shuffle_to;
}

}  // namespace

options from_environment(options o) {
  o.seed = astd::detail::seed_from_environment(o.seed);
  if (const char* const faults = std::getenv("ASTD_SIM_FAULTS"))
    if (!read_faults(faults, o.only_faults.emplace())) refuse("ASTD_SIM_FAULTS", faults, "'none' or numbers: 3,17");
  if (const char* const shuffle = std::getenv("ASTD_SIM_SHUFFLE"))
    if (!read_shuffle(shuffle, o)) refuse("ASTD_SIM_SHUFFLE", shuffle, "'none' or two numbers: 120-180");
  return o;
}

bool trace_from_environment() {
  const char* const trace = std::getenv("ASTD_SIM_TRACE");
  const std::string_view value = trace ? trace : "0";
  if (value != "0" && value != "1") refuse("ASTD_SIM_TRACE", value, "0 or 1");
  return value == "1";
}

bool seed_is_in_environment() {
  if (std::getenv("ASTD_SIM_SEED")) return true;
  for (const char* const name : {"ASTD_SIM_FAULTS", "ASTD_SIM_SHUFFLE"})
    if (const char* const value = std::getenv(name)) refuse(name, value, "with ASTD_SIM_SEED, whose run it is of");
  if (trace_from_environment()) refuse("ASTD_SIM_TRACE", "1", "with ASTD_SIM_SEED, whose run it prints");
  return false;
}

std::uint64_t seeds_from_environment() {
  std::uint64_t n = 10;
  if (const char* const seeds = std::getenv("ASTD_SIM_SEEDS"))
    if (!read_number(seeds, n) || n == 0) refuse("ASTD_SIM_SEEDS", seeds, "a number of seeds, 1 or more");
  return n;
}

std::string to_environment(const options& o) {
  std::string text = fmt::format("ASTD_SIM_SEED={:#x}", o.seed);
  if (o.only_faults) {
    text += " ASTD_SIM_FAULTS=";
    if (o.only_faults->empty()) text += "none";
    for (std::size_t i = 0; i < o.only_faults->size(); ++i)
      fmt::format_to(std::back_inserter(text), "{}{}", i == 0 ? "" : ",", (*o.only_faults)[i]);
  }
  if (o.shuffle_from >= o.shuffle_to)
    text += " ASTD_SIM_SHUFFLE=none";
  else if (o.shuffle_from != 0 || o.shuffle_to != UINT64_MAX)
    fmt::format_to(std::back_inserter(text), " ASTD_SIM_SHUFFLE={}-{}", o.shuffle_from, o.shuffle_to);
  return text;
}

std::string to_string(const report& r, std::size_t most) {
  std::string text;
  const auto line = std::back_inserter(text);
  const std::size_t shown = std::min(most, r.struck_faults.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const struck& f = r.struck_faults[i];
    fmt::format_to(line, "at {:.6f} s: {}{}{} (fault {})\n", std::chrono::duration<double>(f.when).count(),
                   name_of(f.kind), f.where.empty() ? "" : " at ", f.where, f.number);
  }
  if (r.faults > shown) fmt::format_to(line, "and {} more\n", r.faults - shown);
  return text;
}

options swarm(std::uint64_t seed) {
  driver::sim::random_stream chance(seed, swarm_stream);
  // About as likely between 1 and 10 as between 10 and 100. Of whole numbers: logarithms differ in their last bits from
  // one machine to the next, and a seed has to say the same everywhere.
  const auto around = [&](std::uint64_t least, std::uint64_t most) {
    const auto doublings = static_cast<std::uint64_t>(std::bit_width((most - 1) / least));
    const std::uint64_t from = least << chance.below(doublings);
    return from + chance.below(std::min(from, most - from) + 1);
  };
  const auto nanoseconds = [&](std::uint64_t least, std::uint64_t most) {
    return std::chrono::nanoseconds(around(least, most));
  };
  const auto rate = [&](std::uint64_t least, std::uint64_t most) {
    return static_cast<double>(around(least, most)) / 1'000'000;
  };
  options o;
  o.seed = seed;
  if (chance.chance(0.5)) o.workers = static_cast<unsigned>(chance.between(1, 4));
  o.shortest_turn = nanoseconds(50, 1'000);
  o.longest_turn = o.shortest_turn + nanoseconds(100, 100'000);
  o.later = chance.chance(0.2) ? 0 : rate(10'000, 1'000'000);
  o.link.latency = nanoseconds(1'000, 50'000'000);
  o.link.jitter = chance.chance(0.3) ? std::chrono::nanoseconds(0) : nanoseconds(1'000, 100'000'000);
  if (chance.chance(0.2)) o.link.bandwidth = around(100'000, 1'000'000'000);
  for (const fault kind :
       {fault::packet_lost, fault::packet_duplicated, fault::packet_delayed, fault::connection_reset,
        fault::connection_aborted, fault::short_transfer, fault::spurious_readiness}) {
    const bool wanted = chance.chance(0.5);
    const bool rare = kind == fault::connection_reset || kind == fault::connection_aborted;
    const double how_often = rare ? rate(100, 10'000) : rate(1'000, 200'000);
    if (wanted) o.faults.set(kind, how_often);
  }
  // Last, so that what is above is what it always was.
  // Less than a kilobyte no system has.
  if (chance.chance(0.3)) o.socket_room = static_cast<std::uint32_t>(around(1'024, 65'536));
  return o;
}

}  // namespace astd::sim
