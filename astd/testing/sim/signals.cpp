#include <astd/signal/listener.hpp>
#include <astd/testing/sim/signals.hpp>
#include <astd/testing/sim/universe_state.hpp>

#include <csignal>
#include <stdexcept>
#include <string>

namespace astd::sim::detail {

default_action default_action_of(int signal) noexcept {
  switch (signal) {
    case SIGCHLD:
    case SIGURG:
    case SIGWINCH: return default_action::nothing;
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU: return default_action::stop;
    case SIGCONT: return default_action::go_on;
    default: return default_action::end;
  }
}

bool can_be_handled(int signal) noexcept { return signal != SIGKILL && signal != SIGSTOP; }

void check_signal(int signal) {
  if (signal < 1 || signal >= NSIG)
    throw std::invalid_argument("raise: " + std::to_string(signal) + " is no signal");
}

arriving_signal::~arriving_signal() {
  to.machine.in().take_out(*this);
  to.machine.forget(*this);
}

void arriving_signal::fire() noexcept {
  host_state& h = to;
  const int signal = number;
  driver::sim::machine& m = h.machine;
  const default_action otherwise = default_action_of(signal);
  if (m.now_is() == driver::sim::machine::state::paused) {
    if (signal != SIGKILL && otherwise != default_action::go_on) return m.park(*this);
  }
  // It has come: what follows may take away all that are still on their way.
  h.signals.remove_if([this](const arriving_signal& one) { return &one == this; });
  if (!h.rt) return;
  m.in().note(driver::sim::point::note, &m, 0, 0, "signal " + std::to_string(signal));
  if (otherwise == default_action::go_on) m.go_on();
  auto became = signal::detail::delivery::nobody;
  if (can_be_handled(signal)) {
    const driver::sim::machine::turn here(m);
    became = signal::detail::deliver(&m, signal);
  }
  if (became == signal::detail::delivery::told) return;
  if (became == signal::detail::delivery::ends || otherwise == default_action::end)
    h.crash();
  else if (otherwise == default_action::stop)
    m.pause();
}

void host_state::raise(int signal) {
  check_signal(signal);
  if (!rt) return;
  driver::sim::world& w = in.simulation.in();
  w.schedule_after(signals.emplace_back(*this, signal), w.draw_turn());
}

}  // namespace astd::sim::detail
