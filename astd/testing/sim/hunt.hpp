// sim::hunt: tries many seeds, and makes what fails as small as it can.
//
//   auto found = astd::sim::hunt({.seeds = 1000}, scenario);
//   if (found) std::puts(to_string(*found).c_str());
//
//   failed: wrong total: 2 orders
//   replay with ASTD_SIM_SEED=0x5eed ASTD_SIM_FAULTS=3 ASTD_SIM_SHUFFLE=none
//   1 fault, of 14 at first:
//     at 0.412 s: connection reset at server (fault 3)
#pragma once

#include <astd/testing/sim/run.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace astd::sim {

struct hunt_options {
  /// The first seed; empty: a random one. The others follow from it.
  std::optional<std::uint64_t> first_seed = {};
  std::uint64_t seeds = 100;
  /// Every so many runs are made twice and their traces compared. 0: none.
  std::uint64_t twice_every = 10;
  /// Runs that may be spent on making a failure smaller. 0: it is told as it was found.
  unsigned shrink_runs = 200;
  /// For each seed, such as swarm; null: the defaults.
  options (*configuration)(std::uint64_t seed) = nullptr;
};

struct finding {
  options smallest;          // with which it fails
  std::string what;          // the failure's text
  report told;               // of the smallest run
  std::uint64_t faults = 0;  // that struck when it was found
  std::uint64_t runs = 0;    // until it was found
  unsigned shrink_runs = 0;  // after that
};
/// For people, several lines.
[[nodiscard]] std::string to_string(const finding& f);

namespace detail {

/// One run of what is under test.
class attempt {
 public:
  /// Throws if it fails.
  virtual void run(const options& o, report& told) = 0;
  [[nodiscard]] virtual options configure(std::uint64_t seed);
  /// What kind of failure the current exception is: a smaller run has to fail with the same.
  [[nodiscard]] virtual std::string kind_of_failure() const;
  [[nodiscard]] virtual std::string text_of_failure() const;

 protected:
  ~attempt() = default;
};

/// One run; what it told, and the failure's kind and text, or none.
struct run_outcome {
  std::string kind;
  std::string text;
  report told;
};
run_outcome try_once(attempt& what, const options& o);
std::optional<finding> hunt(const hunt_options& how, attempt& what);
/// `failing` fails; looks for something smaller that does.
finding shrink(const options& failing, unsigned most_runs, attempt& what);

template <class P>
class attempt_of final : public attempt {
 public:
  explicit attempt_of(P& program) noexcept : program_(program) {}
  void run(const options& o, report& told) override { static_cast<void>(sim::run(o, program_, &told)); }

 private:
  P& program_;
};
template <class P>
  requires std::is_void_v<typename script_of<P>::value_type>
class attempt_of<P> final : public attempt {
 public:
  explicit attempt_of(P& program) noexcept : program_(program) {}
  void run(const options& o, report& told) override { sim::run(o, program_, &told); }

 private:
  P& program_;
};

}  // namespace detail

/// Runs `program` (as sim::run does) with one seed after the other until a run throws, then looks for a smaller one that
/// fails in the same way: with fewer faults, and with a shorter time in which the order of things is shuffled. Empty: none
/// failed. Two runs of one seed that differ are a failure, too; what fails and then does not is told as it was found, and that
/// something is decided elsewhere.
template <class P>
std::optional<finding> hunt(const hunt_options& how, P program) {
  detail::attempt_of<P> a(program);
  return detail::hunt(how, a);
}

/// The second half of it: `failing` fails; what is the smallest that does, in at most so many runs? Its
/// text says so if it does not fail.
template <class P>
finding shrink(const options& failing, unsigned most_runs, P program) {
  detail::attempt_of<P> a(program);
  return detail::shrink(failing, most_runs, a);
}

}  // namespace astd::sim
