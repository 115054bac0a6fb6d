#include <astd/base/assert.hpp>
#include <astd/base/error.hpp>
#include <astd/runtime/core.hpp>
#include <astd/runtime/settle.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/task_extras.hpp>
#include <astd/runtime/task_group.hpp>
#include <astd/runtime/task_local.hpp>

#include <atomic>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace astd::detail {

resumable* here_or_there(executor& on, resumable* r) noexcept {
  if (!r) return nullptr;
  if (worker* w = worker::current()) {
    const bool ours = w->runs(on);
    if (ours && w->spend()) return r;
    on.schedule(*r, ours ? urgency::queued : urgency::next);
  } else {
    on.schedule(*r, urgency::next);
  }
  return nullptr;
}

namespace {

constinit std::atomic<std::uint64_t> next_ids{1};

// Each thread takes ids by the thousand.
struct id_range {
  std::uint64_t next = 0, end = 0;
};
constinit thread_local id_range ids;

}  // namespace

runtime_core& current_core() { return runtime_core::current(); }

namespace {

/// The worker that this thread is, not as a guest; or null.
worker* own_worker() noexcept {
  worker* const w = worker::current();
  return w && w->index() != worker::guest ? w : nullptr;
}
spawn_place place_on(worker& w) noexcept { return {&w.executor_for_new_tasks(), &w.tasks(), &w}; }

}  // namespace

spawn_place place_now() {
  if (worker* const w = own_worker()) return place_on(*w);
  return place_on(runtime_core::current());
}

spawn_place place_on(runtime_core& core) noexcept {
  if (worker* const w = own_worker(); w && &w->runtime() == &core) return place_on(*w);
  return {&core.executor_from_outside(), &core.outside_tasks(), nullptr};
}

spawn_place place_here() {
  worker* const w = worker::current();
  if (!w) {
#if ASTD_HAS_EXCEPTIONS
    throw std::logic_error("astd::spawn_local: this thread runs no tasks; call it in a task or inside block_on");
#else
    assertion_failed("astd::spawn_local: this thread runs no tasks; call it in a task or inside block_on");
#endif
  }
  return {&w->pinned_executor(), &w->tasks(), nullptr};
}

std::uint64_t new_task_id() noexcept {
  constexpr std::uint64_t batch = 1024;
  if (ids.next == ids.end) {
    ids.next = next_ids.fetch_add(batch, std::memory_order_relaxed);
    ids.end = ids.next + batch;
  }
  return ids.next++;
}

task_extras& extras_of(task_header& t) {
  if (!t.extras) t.extras = new task_extras;
  return *t.extras;
}
void name_task(task_header& t, std::string name) { extras_of(t).name = std::move(name); }
void free_extras(task_header& t) noexcept {
  if (t.extras && t.extras->grouped) group_base::forget(t);
  delete std::exchange(t.extras, nullptr);  // the result's destructor may ask for our name
}
bool give_to_group(task_header& t) noexcept { return t.extras && t.extras->grouped && group_base::take_over(t); }
std::string_view name_of_task(const task_header& t) noexcept {
  return t.extras ? std::string_view(t.extras->name) : std::string_view();
}

bool fails_alone(const task_header& t) noexcept { return !t.extras || !t.extras->failure_taken; }

bool is_block_on(const task_header& t) noexcept {
  return t.join.load(std::memory_order_relaxed) == join_in_block_on;
}

std::string title_of_task(const task_header& t) {
  const std::string_view name = name_of_task(t);
  return name.empty() ? "task " + std::to_string(t.id) : "task '" + std::string(name) + "'";
}

std::string some_title_of_task(const task_header& t) noexcept {
#if ASTD_HAS_EXCEPTIONS
  try {
    return title_of_task(t);
  } catch (const std::bad_alloc&) {
    return "a task";  // which needs no memory
  }
#else
  return title_of_task(t);
#endif
}

failure cancelled_failure(const task_header& t) noexcept {
  return failure(std::make_error_code(std::errc::operation_canceled), some_title_of_task(t));
}

void inherit_here(task_header& t) {
  const chain* const here = current_chain();
  if (here && here->locals() && !(t.extras && t.extras->inherited)) inherit_locals(*here, t);
}
void forget_locals(task_header& t) noexcept {
  if (t.extras && t.extras->inherited) end_inherited_locals(t);
}

namespace {

void enter(task_header& t, const spawn_place& place) {
  t.id = new_task_id();
  t.registry = place.count_in;
  inherit_here(t);
  place.count_in->count_launched();  // from here on nothing fails
}

}  // namespace

void launch(task_header& t, const spawn_place& place) {
  enter(t, place);
  if (place.here)
    place.here->push(t.root.end(), urgency::next);
  else
    place.on->schedule(t.root.end(), urgency::next);
}

void launch_inline(task_header& t, const spawn_place& place) {
  enter(t, place);
  run(t.root.end());
}

// A thread in block_on has only what was spawned for it alone.
task_registry& registry_of(const task_header& t) noexcept {
  worker* const w = worker::current();
  return w && w->runs(t.root.on()) ? w->tasks() : t.registry->runtime().outside_tasks();
}

bool begin_task(task_header& t) noexcept {
  t.registry = &registry_of(t);
  t.root.set_fresh(true);
  if (t.extras) settle_task(t);  // what has a name is to be found under it even while it runs
  return (!t.registry->closed() && !t.root.cancel_requested()) || t.root.begins_anyway;
}

void leave_registry(task_header& t) noexcept {
  t.registry->remove(t);
  set_current_chain(&t.root);  // destructors may ask who they are
}

resumable* end_task(task_header& t, bool& gone) noexcept {
  if (t.extras && t.extras->inherited) end_inherited_locals(t);
  (t.root.is_fresh() ? *t.registry : registry_of(t)).count_ended();
  if (t.root.is_joined_here) {
    join_waiter& joiner = join_waiter::of_fresh(t);
    t.join.store(join_done, std::memory_order_relaxed);  // nobody but the joiner will look
    return joiner.ended_fresh();
  }
  if (t.extras && t.extras->in_group) return end_group_child(t, gone);
  return tell_joiner(t, gone);
}

bool take_to_call(task_header& t, const await_context& c) noexcept {
  worker* const w = worker::current();
  return w && c.chain_stays && w->runs(t.root.on()) && w->runs(c.in->on()) && !c.in->cancel_requested() &&
         w->take_back(t.root.end());
}

// ---- the blocking pool

resumable* blocking_hop::start(const await_context& c) noexcept {
  attach(c);
  if (!publish()) return stop();
  run = &on_pool_thread;
  switch (core_.blocking().try_submit(*this)) {
    case blocking_pool::submission::queued: return nullptr;
    case blocking_pool::submission::unwanted: return finish(true);  // request_stop() came first
    case blocking_pool::submission::full: break;
  }
  refused_ = true;
  return finish(false);
}

failure blocking_hop::queue_is_full() const noexcept {
  char text[64];
  std::snprintf(text, sizeof text, "%zu calls are waiting (max_blocking_queue)",
                core_.options().max_blocking_queue);
  return failure(std::make_error_code(std::errc::resource_unavailable_try_again), "spawn_blocking", text);
}

void blocking_hop::on_pool_thread(job& j) noexcept {
  if (resumable* r = static_cast<blocking_hop&>(j).finish(false)) detail::run(*r);
}

void blocking_hop::request_stop() noexcept {
  if (core_.blocking().withdraw(*this)) complete(true);
  stop_request_done();
}

}  // namespace astd::detail
