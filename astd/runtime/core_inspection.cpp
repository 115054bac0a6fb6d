// What one sees of a runtime from outside: the dump of its tasks and its figures.
#include <astd/coro/dump.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/task_extras.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace astd::detail {
namespace {

std::string heading_of(const task_header& t) {
  std::string heading = "task " + std::to_string(t.id);
  if (const std::string_view name = name_of_task(t); !name.empty())
    heading.append(" '").append(name).append("'");
  else if (is_block_on(t))
    heading += " (block_on)";
  return heading;
}

}  // namespace

std::string runtime_core::dump_tasks() {
  // Inside, nobody else runs tasks.
  std::optional<simulation::entry> inside;
  if (simulation_)
    if (!inside.emplace(*simulation_, std::chrono::milliseconds(100)).has_entered())
      return "runtime '" + options_.name + "': a simulated task runs and does not let others in\n";
  settle_current_task();
  std::lock_guard one_at_a_time(dump_lock_);
  worker* const me = worker::current();
  // Hold every loop between two tasks. A worker that is in a task for longer is not waited for, and that task's chain
  // is left alone: it is changing. The tasks that it left suspended stand still all the same.
  struct pause {
    runtime_core& core;
    const worker* const me = worker::current();
    explicit pause(runtime_core& held) : core(held) { ask(true); }
    ~pause() { ask(false); }  // also when there is no memory for the text
    void ask(bool on) const noexcept {
      if (core.simulation_) return;  // they have no threads that could run meanwhile
      core.each_loop([&](worker& w) {
        if (&w != me) w.ask_to_pause(on);
      });
    }
  };
  std::optional<pause> paused(std::in_place, *this);
  struct seen {
    std::uint64_t id;
    bool listed;
  };
  std::vector<seen> running;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  each_loop([&](worker& w) {
    if (simulation_ && &w != me) return;
    while (&w != me && w.active() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    if (&w != me && !w.active()) return;
    running.push_back({w.running().task_id.load(std::memory_order_relaxed), false});
  });
  // Others that have not suspended either: they wait for a task that they have joined in the same turn, and go on when it
  // ends, or hold the stack in a block_on.
  const auto note_running = [&](task_header& t) {
    if (t.root.is_running() && std::ranges::find(running, t.id, &seen::id) == running.end())
      running.push_back({t.id, false});
  };
  outside_tasks_.each(note_running);
  each_loop([&](worker& w) { w.tasks().each(note_running); });
  std::string out;
  std::size_t count = 0;
  const auto describe = [&](task_header& t) {
    ++count;
    out += heading_of(t);
    if (const auto r = std::find_if(running.begin(), running.end(), [&](const seen& s) { return s.id == t.id; });
        r != running.end()) {
      r->listed = true;
      out += "\n  running\n";
      return;
    }
    if (t.root.is_blocking_call) {
      out += "\n  in the blocking pool, waiting or running\n";
      return;
    }
    out += '\n';
    describe_chain(t.root, out, 1);
    if (out.back() != '\n') out += '\n';
  };
  outside_tasks_.each(describe);
  each_loop([&](worker& w) { w.tasks().each(describe); });
  // Those that have never been suspended are in no list.
  for (const seen& s : running) {
    if (s.id == 0 || s.listed) continue;
    ++count;
    out += "task " + std::to_string(s.id) + "\n  running, never suspended so far\n";
  }
  std::size_t ready = 0;
  for (const shared_queue& q : injected_) ready += q.size();
  each_loop([&](worker& w) { ready += w.queued(); });
  paused.reset();
  return "runtime '" + options_.name + "': " + std::to_string(count) + (count == 1 ? " task has" : " tasks have") +
         " begun, " + std::to_string(ready) + " in the queues\n" + out;
}

runtime_metrics runtime_core::metrics() {
  runtime_metrics m;
  m.name = options_.name;
  m.tasks_alive = alive();
  m.tasks_spawned = launched();
  for (const shared_queue& q : injected_) m.injected += q.size();
  const blocking_pool::metrics b = blocking_.measure();
  m.blocking_threads = b.threads;
  m.blocking_queued = b.queued;
  m.blocking_completed = b.completed;
  m.stalls = monitor_.stalls();
  for (auto& w : workers_) {
    worker_metrics one;
    one.polls = w->turns();
    one.parks = w->count().parks;
    one.steals = w->count().steals;
    one.stolen = w->count().stolen;
    one.forced_yields = w->count().yields_forced;
    one.queued = w->queued();
    if (const driver::driver* d = w->events().opened()) {
      if (m.driver.empty()) {
        m.driver = d->name();
        m.driver_reason = w->events().reason();
      }
      const driver::counters& c = d->count();
      one.operations = c.submitted;
      one.inline_done = c.inline_done;
      one.completed = c.completed;
      one.cancelled = c.cancelled;
      one.system_calls = c.system_calls + c.waits;
    }
    m.workers.push_back(one);
  }
  return m;
}

}  // namespace astd::detail
