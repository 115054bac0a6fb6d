#include <astd/base/error.hpp>
#include <astd/testing/sim/checked.hpp>
#include <astd/testing/sim/universe_state.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace astd::sim {

no_progress::no_progress(const std::string& what)
    : std::system_error(std::make_error_code(std::errc::timed_out), what) {}

namespace detail {
namespace {

enum stream : std::uint64_t { host_stream = 100 };

driver::sim::world_options world_of(const options& o) {
  driver::sim::world_options w;
  w.seed = o.seed;
  w.shortest_turn = o.shortest_turn.count();
  w.longest_turn = o.longest_turn.count();
  w.later = o.later;
  w.socket_room = o.socket_room;
  w.faults = o.faults;
  w.fault_budget = o.fault_budget;
  w.shuffle_from = o.shuffle_from;
  w.shuffle_to = o.shuffle_to;
  w.only_faults = o.only_faults;
  return w;
}

}  // namespace

universe_state::universe_state(const options& o)
    : chosen((check_options(o), o)), simulation(world_of(o)), draws_of_hosts(o.seed, host_stream) {
  simulation.in().set_trace_reader(o.trace);
  set_default_link(o.link);
}
universe_state::~universe_state() = default;

host& universe_state::add_host(std::string_view name, std::unique_ptr<program> what) {
  const unsigned n = chosen.workers ? *chosen.workers : static_cast<unsigned>(draws_of_hosts.between(1, 3));
  auto& machine = simulation.in().add_machine(std::string(name));
  auto state = std::make_unique<host_state>(*this, machine, std::move(what), n);
  host_state& h = *state;
  hosts.push_back(std::make_unique<host>(std::move(state)));
  h.start();
  return *hosts.back();
}

report universe_state::told() const {
  const driver::sim::world& w = simulation.in();
  report r;
  r.trace_hash = w.trace_hash();
  r.events = w.steps();
  r.draws = w.draws();
  r.simulated = std::chrono::nanoseconds(w.now());
  r.faults = w.faults_struck();
  for (const auto& f : w.struck())
    r.struck_faults.push_back({f.number, f.kind, std::chrono::nanoseconds(f.when), f.where});
  return r;
}

}  // namespace detail

host& universe::add(std::string_view name, std::unique_ptr<detail::program> program) {
  detail::check_host_name(name);
  if (name == "localhost") throw std::invalid_argument("add_host: 'localhost' is what each host calls itself");
  if (state_.simulation.in().find_machine(name))
    throw std::invalid_argument("add_host: there is a host '" + std::string(name) + "' already");
  return state_.add_host(name, std::move(program));
}

host& universe::find(which h) const {
  if (h.host_) return *h.host_;
  for (const auto& one : state_.hosts)
    if (one->name() == h.name_) return *one;
  throw std::invalid_argument("there is no host '" + std::string(h.name_) + "' in this universe");
}

void universe::keep(std::unique_ptr<detail::kept> one) { state_.keeps.push_back(std::move(one)); }

std::vector<host*> universe::hosts() const {
  std::vector<host*> all;
  for (std::size_t i = 1; i < state_.hosts.size(); ++i) all.push_back(state_.hosts[i].get());
  return all;
}

void universe::crash(which h) { find(h).state().crash(); }

void universe::restart(which h) {
  detail::host_state& s = find(h).state();
  s.crash();
  s.wanted_up = true;
  s.settle();
}

void universe::pause(which h) { find(h).machine().pause(); }
void universe::resume(which h) { find(h).machine().go_on(); }

void universe::set_faults(const fault_rates& rates) {
  detail::check_faults(rates);
  state_.simulation.in().set_faults(rates);
}
bool universe::is_quiet() const noexcept { return state_.quiet; }

task<> universe::quiet() {
  state_.quiet = true;
  set_faults({});
  heal();
  for (const auto& h : state_.hosts) {
    release(*h);
    resume(*h);
    h->set_clock_drift(0);
    if (!h->is_up()) restart(*h);
  }
  // By number: others may add hosts meanwhile.
  for (std::size_t i = 0; i < state_.hosts.size(); ++i)
    while (!state_.hosts[i]->is_up()) co_await this_task::sleep_for(std::chrono::microseconds(100));
}

std::uint64_t universe::seed() const noexcept { return state_.chosen.seed; }
std::chrono::nanoseconds universe::now() const noexcept {
  return std::chrono::nanoseconds(state_.simulation.in().now());
}
void universe::note(std::string_view text) {
  state_.simulation.in().note(driver::sim::point::note, driver::sim::machine::here(), 0, 0, text);
}
std::string universe::dump_tasks() const { return state_.simulation.dump_tasks(); }
report universe::told() const { return state_.told(); }
void universe::fail(std::exception_ptr why) noexcept { state_.fail(std::move(why)); }
driver::sim::world& universe::world() noexcept { return state_.simulation.in(); }

void universe::throw_no_progress(std::chrono::nanoseconds within, const std::string& what) {
  const double seconds = std::chrono::duration<double>(within).count();
  throw no_progress("not within " + std::to_string(seconds) + " s: " + (what.empty() ? "what was demanded" : what));
}

}  // namespace astd::sim
