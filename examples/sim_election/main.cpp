// An election that gives one term two leaders when answers are late or doubled: found by simulation, and mended.
#include "scenario.hpp"

#include <cstdio>

int main() {
  namespace sim = astd::sim;
  const sim::hunt_options how{.first_seed = 1, .seeds = 2000, .configuration = election::slow_network};

  const auto careless = sim::hunt(how, election::elections<false>);
  if (!careless) return std::puts("the careless candidates: no seed has found it"), 1;
  std::printf("the careless candidates, with seed %llu of 2000\n%s\n",
              static_cast<unsigned long long>(careless->runs), to_string(*careless).c_str());

  const auto careful = sim::hunt(how, election::elections<true>);
  if (careful) return std::printf("the careful candidates\n%s\n", to_string(*careful).c_str()), 1;
  std::puts("the careful candidates: 2000 seeds, no failure");
}
