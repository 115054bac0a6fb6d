#include <astd/runtime/core.hpp>
#include <astd/runtime/dump_on_signal.hpp>
#include <astd/runtime/runtime.hpp>

#include <atomic>
#include <stdexcept>
#include <utility>

namespace astd {

runtime::runtime(runtime_options options)
    : core_(std::make_unique<detail::runtime_core>(*this, std::move(options))) {
  if (const int signal = core_->options().dump_signal) detail::dump_on_signal(*core_, signal);
}
runtime::runtime(runtime_options options, detail::simulation& in, driver::sim::machine& machine)
    : core_(std::make_unique<detail::runtime_core>(*this, std::move(options), &in, &machine)) {}
runtime::~runtime() { detail::stop_dumping(*core_); }

shutdown_report runtime::shutdown(std::chrono::nanoseconds limit) { return core_->shutdown(limit); }
runtime_metrics runtime::metrics() const { return core_->metrics(); }
std::string runtime::dump_tasks() const { return core_->dump_tasks(); }

namespace {
constinit std::atomic<runtime*> the_default = nullptr;
}

runtime& runtime::default_runtime() {
  // Destroyed with the program's statics: tasks have ended, and their destructors run, before the process has. But not
  // if exit() was called in a task, which could not be waited for: then its threads go on until the process has ended.
  struct holder {
    holder() { the_default = new runtime(runtime_options::from_environment()); }
    ~holder() {
      if (the_default.load()->core_->is_here()) return;
      delete the_default.load();
      the_default = nullptr;
    }
  };
  static const holder instance;
  runtime* const now = the_default.load(std::memory_order_relaxed);
  if (!now) [[unlikely]] {
#if ASTD_HAS_EXCEPTIONS
    throw std::logic_error("astd: the default runtime has ended with the program's statics");
#else
    detail::assertion_failed("the default runtime has ended with the program's statics");
#endif
  }
  return *now;
}

runtime& runtime::current() { return detail::runtime_core::current().owner(); }

std::string dump_tasks() { return runtime::current().dump_tasks(); }

namespace detail {
namespace {

executor& executor_of_this_thread() noexcept { return runtime_core::current(); }

// Chains that begin in foreign coroutines run on the current runtime.
[[maybe_unused]] const bool installed = (set_default_executor_source(&executor_of_this_thread), true);

}  // namespace

runtime_core& runtime_core::current() {
  if (worker* w = worker::current()) return w->runtime();
  // On a thread of the blocking pool the task says where it belongs.
  if (const chain* c = current_chain(); c && c->task())
    if (task_registry* registry = c->task()->registry) return registry->runtime();
  return core_of(runtime::default_runtime());
}

}  // namespace detail
}  // namespace astd
