// The seed of tests that do things at random.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <random>

namespace astd::test {

/// Chosen once for the program, and printed: ASTD_TEST_SEED in the environment plays it again.
inline unsigned seed() {
  static const unsigned chosen = [] {
    const char* const given = std::getenv("ASTD_TEST_SEED");
    const unsigned s = given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device()();
    std::printf("ASTD_TEST_SEED=%u\n", s);
    std::fflush(stdout);
    return s;
  }();
  return chosen;
}

}  // namespace astd::test
