#include <astd/base/error.hpp>
#include <astd/driver/sim/disk.hpp>
#include <astd/runtime/core.hpp>
#include <astd/testing/sim/checked.hpp>
#include <astd/testing/sim/universe_state.hpp>

#include <algorithm>
#include <stdexcept>

namespace astd::sim {
namespace detail {
namespace {

bool nobody_in(runtime& r) noexcept { return astd::detail::runtime_core::core_of(r).alive() == 0; }

// A program in one of its host's lives. Its failure is the run's, unless the host was switched off meanwhile.
task<> live(host_state& h, unsigned life) {
  std::exception_ptr why;
  try {
    task<> t = h.what->begin();
    co_await std::move(t);
  } catch (...) {
    why = std::current_exception();
  }
  if (why && h.rt && h.machine.life() == life) h.in.fail(why);
}

}  // namespace

void host_state::start() {
  rt = in.simulation.start(machine, {.workers = workers, .name = machine.name()});
  if (what) rt->spawn(live(*this, machine.life())).detach();
}

void host_state::crash() {
  wanted_up = false;
  signals.clear();
  if (!rt) return;
  // In this order: nothing that the tasks do about it gets out any more.
  machine.crash();
  processes.crash();
  astd::detail::runtime_core::core_of(*rt).cancel_all();
  ending.push_back(std::move(rt));
  settle();
}

bool host_state::bury() {
  std::erase_if(ending, [](const auto& r) { return nobody_in(*r); });
  return ending.empty() && processes.none();
}

bool host_state::has_ended() const noexcept {
  return (!rt || nobody_in(*rt)) && processes.have_ended() &&
         std::ranges::all_of(ending, [](const auto& r) { return nobody_in(*r); });
}

void host_state::settle() {
  if (settling) return;
  settling = true;
  patience = std::chrono::microseconds(10);
  struct asking {
    host_state& h;
    void operator()() const {
      if (h.bury()) {
        h.settling = false;
        if (!h.wanted_up || h.in.closing) return;
        h.wanted_up = false;
        h.machine.restart();
        h.start();
        return;
      }
      // What shields itself may take its time: it is looked after less and less often.
      h.patience = std::min<std::chrono::nanoseconds>(h.patience * 2, std::chrono::seconds(1));
      h.in.simulation.in().after(h.patience.count(), asking{h});
    }
  };
  in.simulation.in().after(patience.count(), asking{*this});
}

}  // namespace detail

host::host(std::unique_ptr<detail::host_state> state) noexcept : state_(std::move(state)) {}
host::~host() = default;

const std::string& host::name() const noexcept { return state_->machine.name(); }
bool host::is_up() const noexcept { return state_->rt != nullptr; }
bool host::is_paused() const noexcept { return state_->machine.now_is() == driver::sim::machine::state::paused; }
unsigned host::life() const noexcept { return state_->machine.life(); }
void host::raise(int number) { state_->raise(number); }
void host::set_clock_drift(double rate) {
  detail::check_drift(rate);
  state_->machine.set_drift(rate);
}
void host::jump_clock(std::chrono::nanoseconds by) { state_->machine.jump(by.count()); }
void host::set_descriptor_limit(int limit) {
  if (limit < 0 || limit > driver::sim::machine::descriptors_each)
    throw std::invalid_argument("set_descriptor_limit: " + std::to_string(limit) + ", but it must be 0 to " +
                                std::to_string(driver::sim::machine::descriptors_each));
  state_->machine.set_descriptor_limit(limit);
}
std::string host::output() const { return state_->machine.storage().streams().output(); }
std::string host::error_output() const { return state_->machine.storage().streams().error(); }
driver::sim::machine& host::machine() noexcept { return state_->machine; }
runtime* host::running() noexcept { return state_->rt.get(); }
runtime& host::of_scenario() const {
  // A scenario that has switched itself off has no place for anything.
  if (runtime* const r = state_->in.hosts.front()->running()) return *r;
  refuse(name());
}
void host::refuse(const std::string& name) {
  astd::detail::throw_task_cancelled("a task for '" + name + "', which is down");
}

}  // namespace astd::sim
