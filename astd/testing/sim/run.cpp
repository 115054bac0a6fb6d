#include <astd/base/error.hpp>
#include <astd/testing/sim/run.hpp>
#include <astd/testing/sim/universe_state.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace astd::sim {

limit_exceeded::limit_exceeded(const std::string& what)
    : std::system_error(std::make_error_code(std::errc::timed_out), what) {}

namespace detail {
namespace {

task<> watched(universe_state& u, task<> t) {
  std::exception_ptr why;
  try {
    co_await std::move(t);
  } catch (...) {
    why = std::current_exception();
  }
  if (why) u.fail(std::move(why));
  u.main_ended = true;
}

// Cancels whatever there is, and lets the world go on until it has ended. False: something refuses.
bool end_all(universe_state& u) {
  u.closing = true;
  u.quiet = true;
  driver::sim::world& w = u.simulation.in();
  w.set_faults({});
  for (auto& h : u.hosts) h->machine().go_on();
  u.simulation.cancel_all();
  // Some time for what shields itself.
  const std::uint64_t most_steps = w.steps() + 10'000'000;
  const auto ended = [&] { return std::ranges::all_of(u.hosts, [](auto& h) { return h->state().has_ended(); }); };
  static_cast<void>(u.simulation.run_until([&] { return w.steps() > most_steps || ended(); }));
  return ended();
}

// What still runs in it has references into it.
void keep_for_ever(std::unique_ptr<universe_state> u) {
  static std::mutex lock;
  static auto& kept = *new std::vector<std::unique_ptr<universe_state>>;
  std::lock_guard guard(lock);
  kept.push_back(std::move(u));
}

std::exception_ptr why_it_did_not_end(universe_state& u) {
  const std::string tasks = u.simulation.dump_tasks();
  if (!u.takes_too_long()) return std::make_exception_ptr(deadlock(tasks));
  const driver::sim::world& w = u.simulation.in();
  const std::string how_far = std::to_string(static_cast<double>(w.now()) / 1e9) + " s and " +
                              std::to_string(w.steps()) + " events, and the run has not ended\n";
  return std::make_exception_ptr(limit_exceeded(how_far + tasks));
}

}  // namespace

void play(const options& o, script& s, const char* first_host, report* told) {
  auto owned = std::make_unique<universe_state>(o);
  universe_state& u = *owned;
  universe in(u);
  std::exception_ptr failed;
  {
    const astd::detail::simulation::entry inside(u.simulation);
    try {
      host& first = u.add_host(first_host, nullptr);
      first.machine().set_spared(std::string_view(first_host) == "scenario");
      runtime& rt = *first.state().rt;
      join_handle<> main = rt.spawn(watched(u, s.start(in)));
      static_cast<void>(
          u.simulation.run_until([&] { return u.failed || main.is_finished() || u.takes_too_long(); }));
      failed = u.failed;
      if (!failed && !main.is_finished()) failed = why_it_did_not_end(u);
      if (!failed && !u.main_ended) failed = std::make_exception_ptr(task_cancelled("the task in sim::run"));
    } catch (...) {
      failed = std::current_exception();
    }
    const bool ended = end_all(u);
    if (told) *told = u.told();
    if (ended) {
      u.hosts.clear();
    } else {
      if (!failed)
        failed = std::make_exception_ptr(limit_exceeded(
            "the run is over, and tasks that were asked to stop do not\n" + u.simulation.dump_tasks()));
      keep_for_ever(std::move(owned));
    }
  }
  if (failed) std::rethrow_exception(std::move(failed));
}

}  // namespace detail
}  // namespace astd::sim
