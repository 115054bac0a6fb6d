// sim::run: a program in a world of its own, from its beginning to its end.
//
//   int n = astd::sim::run({.seed = 7}, async_main);                            // an unchanged program, on one host
//   astd::sim::run(astd::sim::swarm(seed), [](astd::sim::universe& universe) -> astd::task<> { ... });
#pragma once

#include <astd/coro/task.hpp>
#include <astd/runtime/deadlock.hpp>
#include <astd/testing/sim/options.hpp>
#include <astd/testing/sim/universe.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

namespace astd::sim {

/// A run took more than its options allow, or left something behind that does not stop when it is asked to (its world is
/// then never freed). what() has each task's chain of awaits. The code is std::errc::timed_out.
class limit_exceeded : public std::system_error {
 public:
  explicit limit_exceeded(const std::string& what);
};

namespace detail {

/// What a run is to play, without its type.
class script {
 public:
  virtual task<> start(universe& in) = 0;

 protected:
  ~script() = default;
};

/// The whole of a run but its value.
void play(const options& o, script& s, const char* first_host, report* told);

template <class P>
concept scenario = std::invocable<P&, universe&>;

template <class P>
auto make(P& program, universe& in) {
  if constexpr (scenario<P>)
    return program(in);
  else
    return program();
}

template <class P>
class script_of final : public script {
 public:
  using value_type = typename decltype(detail::make(std::declval<P&>(), std::declval<universe&>()))::value_type;

  explicit script_of(P& program) noexcept : program_(program) {}
  task<> start(universe& in) override {
    if constexpr (std::is_void_v<value_type>) {
      co_await detail::make(program_, in);
    } else {
      auto v = co_await detail::make(program_, in);
      value_.emplace(std::move(v));
    }
  }
  value_type take() {
    if constexpr (!std::is_void_v<value_type>) return std::move(*value_);
  }

 private:
  P& program_;
  std::conditional_t<std::is_void_v<value_type>, std::monostate, std::optional<value_type>> value_;
};

}  // namespace detail

/// Makes a world, runs `program` in it and gives its value. `program` is a callable that gives a task: with a universe& for
/// its argument it is a scenario, which runs on a host of its own, "scenario", that no chance fault strikes; without one
/// it is any program of astd's, on a host called "localhost".
///
/// When it has ended, all that is left on any host is cancelled, and has ended when run() returns. Throws
/// std::invalid_argument for options that make no sense; what the program throws, or what a host's program has thrown before; sim::limit_exceeded; and sim::deadlock when nothing can happen any
/// more (both with each task's chain of awaits). If `told` is given, it is told how the run went, also when that throws.
///
/// The calling thread is the only one that runs tasks, until it returns; any thread may, several at a time, each with a
/// world of its own. Not from inside a task.
template <class P>
  requires detail::scenario<P> || std::invocable<P&>
auto run(const options& o, P program, report* told = nullptr) {
  detail::script_of<P> script(program);
  detail::play(o, script, detail::scenario<P> ? "scenario" : "localhost", told);
  return script.take();
}

}  // namespace astd::sim
