#include <astd/base/error.hpp>
#include <astd/driver/sim/random.hpp>
#include <astd/testing/sim/options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>

namespace astd::sim {
namespace {

constexpr std::uint64_t swarm_stream = 102;

[[noreturn]] void refuse(const char* variable, std::string_view value, const char* wanted) {
  astd::detail::throw_failure(failure(std::make_error_code(std::errc::invalid_argument), variable,
                                      "= '" + std::string(value) + "', but it must be " + wanted));
}

bool read_number(std::string_view text, std::uint64_t& number) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
  return error == std::errc() && end == text.data() + text.size();
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
         read_number(text.substr(dash + 1), o.shuffle_to);
}

}  // namespace

options from_environment(options o) {
  if (const char* const seed = std::getenv("ASTD_SIM_SEED"))
    if (!read_number(seed, o.seed)) refuse("ASTD_SIM_SEED", seed, "a number of 64 bits");
  if (const char* const faults = std::getenv("ASTD_SIM_FAULTS"))
    if (!read_faults(faults, o.only_faults.emplace())) refuse("ASTD_SIM_FAULTS", faults, "'none' or numbers: 3,17");
  if (const char* const shuffle = std::getenv("ASTD_SIM_SHUFFLE"))
    if (!read_shuffle(shuffle, o)) refuse("ASTD_SIM_SHUFFLE", shuffle, "'none' or two numbers: 120-180");
  return o;
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
  // As likely between 1 and 10 as between 10 and 100.
  const auto around = [&](double least, double most) {
    const double unit = static_cast<double>(chance.next() >> 11) * 0x1p-53;
    return std::exp(std::log(least) + unit * (std::log(most) - std::log(least)));
  };
  const auto nanoseconds = [&](double least, double most) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(around(least, most)));
  };
  options o;
  o.seed = seed;
  if (chance.chance(0.5)) o.workers = static_cast<unsigned>(chance.between(1, 4));
  o.shortest_turn = nanoseconds(50, 1'000);
  o.longest_turn = o.shortest_turn + nanoseconds(100, 100'000);
  o.later = chance.chance(0.2) ? 0 : around(0.01, 1);
  o.link.latency = nanoseconds(1e3, 50e6);
  o.link.jitter = chance.chance(0.3) ? std::chrono::nanoseconds(0) : nanoseconds(1e3, 100e6);
  if (chance.chance(0.2)) o.link.bandwidth = static_cast<std::uint64_t>(around(1e5, 1e9));
  for (const fault kind :
       {fault::packet_lost, fault::packet_duplicated, fault::packet_delayed, fault::connection_reset,
        fault::connection_aborted, fault::short_transfer, fault::spurious_readiness}) {
    const bool wanted = chance.chance(0.5);
    const bool rare = kind == fault::connection_reset || kind == fault::connection_aborted;
    const double rate = rare ? around(1e-4, 1e-2) : around(1e-3, 0.2);
    if (wanted) o.faults.set(kind, rate);
  }
  return o;
}

}  // namespace astd::sim
