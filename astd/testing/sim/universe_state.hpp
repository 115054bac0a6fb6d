// What is behind a universe and its hosts.
#pragma once

#include <astd/driver/sim/machine.hpp>
#include <astd/runtime/simulation.hpp>
#include <astd/testing/sim/programs.hpp>
#include <astd/testing/sim/universe.hpp>

#include <exception>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace astd::sim::detail {

struct universe_state;

/// A signal on its way to a host's program.
struct arriving_signal final : driver::sim::event {
  arriving_signal(host_state& h, int n) noexcept : to(h), number(n) {}
  ~arriving_signal();
  void fire() noexcept override;
  host_state& to;
  const int number;
};

struct host_state {
  host_state(universe_state& u, driver::sim::machine& m, std::unique_ptr<program> p, unsigned n) noexcept
      : in(u), machine(m), what(std::move(p)), workers(n) {
    machine.set_programs(&processes);
  }

  void start();
  void crash();
  void raise(int signal);
  /// Starts it if it is wanted up and nothing of its earlier lives is left; sees to it that somebody asks again if that
  /// is not so yet.
  void settle();
  /// Whether all tasks of earlier lives have ended; forgets the runtimes of those that have.
  bool bury();
  [[nodiscard]] bool has_ended() const noexcept;

  universe_state& in;
  driver::sim::machine& machine;
  const std::unique_ptr<program> what;
  const unsigned workers;
  children processes{*this};
  std::unique_ptr<runtime> rt;                   // null: down
  std::vector<std::unique_ptr<runtime>> ending;  // of earlier lives
  std::list<arriving_signal> signals;
  bool wanted_up = false;  // it is down, and is to restart
  bool settling = false;
  std::chrono::nanoseconds patience{0};  // until it is asked again
};

struct universe_state {
  explicit universe_state(const options& o);
  ~universe_state();

  /// What a host's program has failed with, or the scenario; the first counts.
  void fail(std::exception_ptr why) noexcept {
    if (!failed) failed = std::move(why);
  }
  host& add_host(std::string_view name, std::unique_ptr<program> what);
  void set_default_link(const link& l);
  [[nodiscard]] bool takes_too_long() noexcept {
    const auto& w = simulation.in();
    return w.now() > chosen.time_limit.count() || w.steps() > chosen.event_limit;
  }
  [[nodiscard]] report told() const;

  const options chosen;
  std::vector<std::unique_ptr<kept>> keeps;  // outlives all that follows
  program_table programs;                    // of all hosts
  mutable astd::detail::simulation simulation;
  driver::sim::random_stream draws_of_hosts;
  std::vector<std::unique_ptr<host>> hosts;  // the scenario's own first
  std::exception_ptr failed;
  bool main_ended = false;
  bool closing = false;
  bool quiet = false;
};

}  // namespace astd::sim::detail
