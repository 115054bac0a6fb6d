#include <astd/driver/sim/machine.hpp>
#include <astd/random.hpp>
#include <astd/testing/sim/trial.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <string_view>

namespace astd::sim::detail {
namespace {

class printer final : public driver::sim::trace_reader {
 public:
  void read(driver::sim::instant when, const driver::sim::machine* where, driver::sim::point what, std::uint64_t a,
            std::uint64_t b, std::string_view text) override {
    using driver::sim::point;
    std::string line = fmt::format("{:16.9f} s  {:<12} {:<10}", static_cast<double>(when) / 1e9,
                                   where ? std::string_view(where->name()) : "", name_of(what));
    if (what == point::fault)
      line += fmt::format(" {} (fault {})", name_of(static_cast<fault>(a)), b);
    else if (what == point::submitted || what == point::ended || what == point::cancelled)
      line += fmt::format(" {} {}", driver::name_of(static_cast<driver::opcode>(a)), static_cast<std::int32_t>(b));
    else
      line += fmt::format(" {} {}", a, b);
    std::printf("%s %.*s\n", line.c_str(), static_cast<int>(text.size()), text.data());
  }
};

// Before anything that may end the process.
void say(const std::string& text) {
  std::printf("[ sim      ] %s\n", text.c_str());
  std::fflush(stdout);
}

std::string one_run(const std::string& name, attempt& what) {
  options o = from_environment({});
  const options said = from_environment(what.configure(o.seed));
  o = said;
  printer prints;
  if (trace_from_environment()) o.trace = &prints;
  say(name + ": " + to_environment(o));
  const run_outcome r = try_once(what, o);
  if (!r.kind.empty()) return r.text + "\n" + to_string(r.told);
  const run_outcome again = try_once(what, said);
  if (again.told.trace_hash == r.told.trace_hash) return {};
  return "two runs of this seed differ: something in them is decided elsewhere";
}

}  // namespace

std::string run_trial(const char* suite, const char* test, attempt& what) {
  const std::string name = fmt::format("{}.{}", suite, test);
  if (seed_is_in_environment()) return one_run(name, what);
  hunt_options how;
  how.seeds = seeds_from_environment();
  how.first_seed = astd::random::next();
  say(fmt::format("{}: {} seeds from {:#x}", name, how.seeds, *how.first_seed));
  const auto found = hunt(how, what);
  if (!found) return {};
  return fmt::format("{}to see it: {} ASTD_SIM_TRACE=1, with --gtest_filter={}\n", to_string(*found),
                     to_environment(found->smallest), name);
}

}  // namespace astd::sim::detail
