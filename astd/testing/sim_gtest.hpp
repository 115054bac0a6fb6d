// GoogleTest tests that play in a simulated world, for several seeds.
//
//   ASTD_SIM_TEST(bank, keeps_the_sum) {
//     auto& server = universe.add_host("server", [] { return serve("0.0.0.0:80"); });
//     ...
//     EXPECT_EQ(sum, 100);
//   }
//   ASTD_SIM_TEST_WITH(bank, keeps_the_sum_whatever_happens, astd::sim::swarm) { ... }
//
// The body is a scenario (sim::run), with `universe` for its world. It runs for ASTD_SIM_SEEDS seeds, 10 if that is not
// said; the first is random, and printed before anything can go wrong. A run in which an expectation fails, or that throws,
// is made as small as can be, and the report says how to play it again:
//
//   ASTD_SIM_SEED=0x5eed ASTD_SIM_FAULTS=3,17 ./my_tests --gtest_filter=bank.keeps_the_sum
//
// With ASTD_SIM_SEED there is one run, without a search for smaller ones; ASTD_SIM_TRACE=1 prints what happens in it. Use
// EXPECT_*: ASSERT_* returns, which a task cannot.
#pragma once

#include <astd/testing/sim.hpp>
#include <astd/testing/sim/trial.hpp>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

namespace astd::sim::detail {

/// An expectation of GoogleTest's has failed; where, and all that was said.
class expectation_failed : public std::exception {
 public:
  expectation_failed(std::string place, std::string text) : place_(std::move(place)), text_(std::move(text)) {}
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }
  [[nodiscard]] const std::string& place() const noexcept { return place_; }

 private:
  std::string place_;
  std::string text_;
};

/// A test's body as something that fails by throwing. `Configuration` is an options, or a function of the seed that gives
/// one.
template <class Configuration>
class test_attempt final : public attempt {
 public:
  test_attempt(task<> (*body)(universe&), Configuration configuration)
      : body_(body), configuration_(std::move(configuration)) {}

  [[nodiscard]] options configure(std::uint64_t seed) override {
    if constexpr (std::is_invocable_v<Configuration&, std::uint64_t>)
      return configuration_(seed);
    else
      return configuration_;
  }
  void run(const options& o, report& told) override {
    ::testing::TestPartResultArray results;
    std::exception_ptr thrown;
    {
      const ::testing::ScopedFakeTestPartResultReporter reporter(
          ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &results);
      try {
        sim::run(o, body_, &told);
      } catch (...) {
        thrown = std::current_exception();
      }
    }
    std::string place, text;
    for (int i = 0; i < results.size(); ++i) {
      const ::testing::TestPartResult& r = results.GetTestPartResult(i);
      if (!r.failed()) continue;
      const std::string at =
          std::string(r.file_name() ? r.file_name() : "?") + ":" + std::to_string(r.line_number());
      if (place.empty()) place = at;
      text += (text.empty() ? "" : "\n") + at + ": " + r.message();
    }
    if (text.empty() && thrown) std::rethrow_exception(std::move(thrown));
    if (text.empty()) return;
    try {
      if (thrown) std::rethrow_exception(std::move(thrown));
    } catch (...) {
      text += "\nand then was thrown: " + text_of_failure();
    }
    throw expectation_failed(std::move(place), std::move(text));
  }
  [[nodiscard]] std::string kind_of_failure() const override {
    try {
      throw;
    } catch (const expectation_failed& e) {
      return e.place();
    } catch (...) {
      return attempt::kind_of_failure();
    }
  }

 private:
  task<> (*const body_)(universe&);
  Configuration configuration_;
};

template <class Configuration>
void run_test(const char* suite, const char* test, task<> (*body)(universe&), Configuration configuration) {
  test_attempt<Configuration> what(body, std::move(configuration));
  const std::string failure = run_trial(suite, test, what);
  EXPECT_TRUE(failure.empty()) << failure;
}

}  // namespace astd::sim::detail

/// `...`: an astd::sim::options, or a function of the seed that gives one, such as astd::sim::swarm.
#define ASTD_SIM_TEST_WITH(suite, test, ...)                                                    \
  static ::astd::task<> astd_sim_test_##suite##_##test(::astd::sim::universe&);                 \
  TEST(suite, test) {                                                                           \
    ::astd::sim::detail::run_test(#suite, #test, &astd_sim_test_##suite##_##test, __VA_ARGS__); \
  }                                                                                             \
  static ::astd::task<> astd_sim_test_##suite##_##test([[maybe_unused]] ::astd::sim::universe& universe)

#define ASTD_SIM_TEST(suite, test) ASTD_SIM_TEST_WITH(suite, test, ::astd::sim::options())
