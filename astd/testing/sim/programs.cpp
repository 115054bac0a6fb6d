#include <astd/base/error.hpp>
#include <astd/coro/as_result.hpp>
#include <astd/driver/sim/machine.hpp>
#include <astd/io/standard_output.hpp>
#include <astd/io/write_all.hpp>
#include <astd/runtime/core.hpp>
#include <astd/signal/listener.hpp>
#include <astd/testing/sim/programs.hpp>
#include <astd/testing/sim/signals.hpp>
#include <astd/testing/sim/universe_state.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <stdexcept>
#include <utility>

#include <sys/wait.h>

namespace astd::sim {
namespace detail {
namespace {

bool nobody_in(const std::unique_ptr<runtime>& r) noexcept {
  return !r || astd::detail::runtime_core::core_of(*r).alive() == 0;
}

}  // namespace

void add_program(program_table& to, std::string_view name, std::unique_ptr<child_program> what) {
  if (name.empty() || name.ends_with('/') || name.find('\0') != name.npos)
    throw std::invalid_argument("add_program: no program is called '" + std::string(name) + "'");
  if (!to.emplace(name, std::move(what)).second)
    throw std::invalid_argument("add_program: there is a program '" + std::string(name) + "' already");
}

running_child::running_child(host_state& h, std::shared_ptr<driver::sim::process> p,
                             std::shared_ptr<child_program> f)
    : on(h), process(std::move(p)), what(std::move(f)) {
  for (const std::string& one : process->arguments()) arguments.emplace_back(one);
  for (const std::string& one : process->environment()) environment.emplace_back(one);
}

children::~children() = default;

// A host's own before those of the universe, the whole path before its last part.
std::shared_ptr<child_program> children::find(std::string_view path) const noexcept {
  const std::string_view last = path.substr(path.rfind('/') + 1);
  const program_table& everywhere = on_.in.programs;
  for (const program_table* t : {&table, &everywhere})
    for (const std::string_view name : {path, last})
      if (const auto found = t->find(name); found != t->end()) return found->second;
  return nullptr;
}

void children::start(std::shared_ptr<driver::sim::process> p) {
  auto c = std::make_shared<running_child>(on_, p, find(p->program()));
  all_.push_back(c);
  const driver::sim::process::turn here(p.get());
  c->rt = on_.in.simulation.start(
      on_.machine, {.workers = on_.workers, .name = on_.machine.name() + ':' + std::to_string(p->number())});
  c->rt->spawn(live(*c)).detach();
}

task<> children::live(running_child& c) {
  int status = 1;
  std::exception_ptr why;
  try {
    task<int> t = c.what->begin(c.arguments, c.environment);
    status = co_await std::move(t);
  } catch (...) {
    why = std::current_exception();
  }
  if (why && c.how == 0) {
    // As astd::main does.
    char text[512];
    astd::detail::describe_exception(why, text, sizeof text);
    const std::string line = (c.arguments.empty() ? "" : std::string(c.arguments[0]) + ": ") + text + '\n';
    auto error = io::standard_error();
    try {
      co_await io::write_all(error, line);
    } catch (...) {  // nobody can be told
    }
  }
  if (c.how == 0) c.on.processes.end(c, CLD_EXITED, status & 0xff);
}

// Its program has ended, or is to: what it has left is cancelled.
void children::end(running_child& c, int how, int status) noexcept {
  if (c.how != 0) return;
  c.how = how;
  c.status = status;
  c.patience = std::chrono::microseconds(1);
  // Not here: this may be a task of its own.
  for (const auto& one : all_)
    if (one.get() == &c) settle(one);
}

void children::settle(const std::shared_ptr<running_child>& c) {
  struct asking {
    std::weak_ptr<running_child> which;
    void operator()() const {
      const std::shared_ptr<running_child> c = which.lock();
      if (!c) return;
      children& those = c->on.processes;
      astd::detail::runtime_core::core_of(*c->rt).cancel_all();
      if (!nobody_in(c->rt)) {
        c->patience = std::min<std::chrono::nanoseconds>(c->patience * 2, std::chrono::seconds(1));
        return those.settle(c);
      }
      c->rt.reset();
      c->process->end(c->how, c->status);
      std::erase(those.all_, c);
    }
  };
  on_.in.simulation.in().after(c->patience.count(), asking{c});
}

std::int32_t children::signal(driver::sim::process& p, int number) noexcept {
  // A child cannot stand still while its host goes on.
  if (number == SIGSTOP) return -ENOSYS;
  struct arriving {
    std::weak_ptr<running_child> which;
    int number;
    void operator()() const {
      if (const auto c = which.lock()) c->on.processes.deliver(*c, number);
    }
  };
  driver::sim::world& w = on_.in.simulation.in();
  for (const auto& one : all_)
    if (one->process.get() == &p) w.after(w.draw_turn(), arriving{one, number});
  return 0;
}

void children::deliver(running_child& c, int number) noexcept {
  if (c.how != 0 || !on_.rt) return;
  on_.in.simulation.in().note(
      driver::sim::point::note, &on_.machine, 0, 0,
      "signal " + std::to_string(number) + " to process " + std::to_string(c.process->number()));
  auto became = astd::signal::detail::delivery::nobody;
  if (can_be_handled(number)) {
    const driver::sim::machine::turn here(on_.machine);
    const driver::sim::process::turn there(c.process.get());
    became = astd::signal::detail::deliver(c.process.get(), number);
  }
  if (became == astd::signal::detail::delivery::told) return;
  if (became == astd::signal::detail::delivery::ends) {
    c.process->kill();
    end(c, CLD_EXITED, 128 + number);
  } else if (default_action_of(number) == default_action::end) {
    c.process->kill();
    end(c, CLD_KILLED, number);
  }
}

void children::crash() noexcept {
  for (const auto& c : all_) {
    c->process->kill();
    end(*c, CLD_KILLED, SIGKILL);
    astd::detail::runtime_core::core_of(*c->rt).cancel_all();
  }
}

bool children::have_ended() const noexcept {
  return std::ranges::all_of(all_, [](const auto& c) { return nobody_in(c->rt); });
}

}  // namespace detail

void host::add_child_program(std::string_view name, std::unique_ptr<detail::child_program> what) {
  detail::add_program(state_->processes.table, name, std::move(what));
}
void universe::add_child_program(std::string_view name, std::unique_ptr<detail::child_program> what) {
  detail::add_program(state_.programs, name, std::move(what));
}

}  // namespace astd::sim
