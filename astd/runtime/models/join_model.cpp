// A task's join word under Relacy: the task ends while its handle is awaited, while the one who awaits is asked to stop,
// and while the handle is dropped; and the same for a task that was joined at once and suspends after all (settle.hpp).
// The library's own sources run here; only the threads are the model's, and the task's frame.
#include <astd/base/assert.cpp>
#include <astd/base/error.cpp>
#include <astd/base/models/model_atomic.hpp>
#include <astd/base/models/model_main.hpp>
#include <astd/base/models/model_threads.hpp>
#include <astd/coro/chain.cpp>
#include <astd/runtime/join_handle.cpp>

#include <cstdlib>
#include <optional>
#include <utility>

namespace astd::models {
namespace {

/// Whether take_to_call() finds the task on top of the queue.
bool called = false;
/// Stands for what a handle's owner reads of the task, and what goes with it.
rl::var<int>* looked_at = nullptr;

}  // namespace
}  // namespace astd::models

namespace astd::detail {

// What the model has no use for.
void* allocate_frame(std::size_t size) { return std::malloc(size); }
void free_frame(void* frame, std::size_t) noexcept { std::free(frame); }
void report_lost(std::exception_ptr, std::string_view) noexcept {}
void report_lost(failure, std::string_view) noexcept {}
std::string title_of_task(const task_header&) { return {}; }
std::string some_title_of_task(const task_header&) noexcept { return {}; }
std::string_view name_of_task(const task_header&) noexcept { return {}; }
failure cancelled_failure(const task_header&) noexcept { return failure(); }
bool fails_alone(const task_header&) noexcept { return true; }
bool give_to_group(task_header&) noexcept { return false; }
void free_extras(task_header&) noexcept {
  if (models::looked_at) (*models::looked_at)($) = 2;
}

bool take_to_call(task_header&, const await_context&) noexcept { return models::called; }
resumable* here_or_there(executor&, resumable* r) noexcept { return r; }

}  // namespace astd::detail

namespace astd::models {
namespace {

using detail::await_context;
using detail::chain;
using detail::resumable;

/// Runs everything at once, where it is scheduled.
struct on_the_spot final : detail::executor {
  void schedule(resumable& r, detail::urgency) noexcept override { detail::run(r); }
} here;

/// What the task gives: written by it, read and ended by whoever gets it.
struct value {
  explicit value(rl::var<int>& place) : state(&place) { place($) = 1; }
  value(value&& other) noexcept : state(std::exchange(other.state, nullptr)) {}
  ~value() {
    if (!state) return;
    RL_ASSERT((*state)($) == 1);
    (*state)($) = 2;
  }
  rl::var<int>* state;
};

using spawned = detail::spawned_task<value>;

/// A task whose frame has gone and that has its value: all that is left is its end.
struct ending {
  rl::var<int> state;
  spawned* task = nullptr;

  join_handle<value> make() {
    void* const frame = detail::task_promise_base<value>::operator new(16);
    detail::tag_of(frame) |= detail::spawned_tag;
    task = ::new (static_cast<void*>(&spawned::of_frame(frame))) spawned(nullptr, here);
    return join_handle<value>::of(task);
  }
  void end() {
    task->result.set_value(state);
    bool gone = false;
    resumable* const next = detail::tell_joiner(*task, gone);
    if (gone) detail::free_task(task);
    if (next) detail::run(*next);
  }
};

// Thread 0 awaits the handle, thread 1 is the task, thread 2, if there is one, asks the one who awaits to stop: then it
// drops the handle. Settled: the task was called by the await, and suspends; so thread 0 is the task's first stretch, too.
template <bool Cancelled, bool Settled>
struct joining : rl::test_suite<joining<Cancelled, Settled>, 2 + Cancelled> {
  ending task;
  std::optional<join_handle<value>> handle;
  std::optional<detail::join_awaiter_of<value>> awaiting;
  resumable after_it{&went_on, this};
  chain line{&ended, here, false};
  detail::atomic<int> suspended;  // the task: stands for the queue that it comes back through
  rl::var<int> prepared;
  int ends = 0;

  void before() {
    new_threads();
    current = this;
    called = Settled;
    looked_at = nullptr;
    beforehand = &looks_at_itself;
  }
  // It reads its task_ there: what it lies in may go as soon as it has entered itself.
  static void looks_at_itself(std::source_location at) {
    if (std::string_view(at.function_name()).find("::enter_task()") != std::string_view::npos)
      RL_ASSERT(static_cast<joining*>(current)->prepared($) == 1);
  }
  void thread(unsigned id) {
    if (id == 0) {
      handle.emplace(task.make());
      awaiting.emplace(*handle);
      if (!Settled) suspended.store(1, std::memory_order_release);
      prepared($) = 1;
      if (awaiting->await_ready()) return detail::run(after_it);
      resumable* const r = awaiting->start({&after_it, &line, nullptr});
      if (Settled) {
        RL_ASSERT(r == &task.task->root.end());
        task.task->root.is_joined_here = false;
        detail::join_waiter::of_fresh(*task.task).publish_late();
        suspended.store(1, std::memory_order_release);
      } else if (r) {
        detail::run(*r);
      }
    } else if (id == 1) {
      while (!suspended.load(std::memory_order_acquire)) rl::yield(1, $);
      task.end();
    } else {
      line.request_cancel();
    }
  }
  static void went_on(resumable* r) {
    auto& self = *static_cast<joining*>(r->second_);
    RL_ASSERT(self.prepared($) == 1);
    {
      auto result = self.awaiting->take();
      RL_ASSERT(result.has_value());
    }
    RL_ASSERT(self.state() == 2);
    finish(self);
  }
  static void ended(resumable*) {
    auto& self = *static_cast<joining*>(current);
    RL_ASSERT(Cancelled && self.line.stopped());
    RL_ASSERT(self.prepared($) == 1);
    finish(self);  // the awaiter's memory goes before the handle
    self.handle->detach();
  }
  int state() { return task.state($); }
  static void finish(joining& self) {
    self.prepared($) = 2;
    RL_ASSERT(self.ends++ == 0);
  }
  void after() {
    RL_ASSERT(ends == 1);
    RL_ASSERT(state() == 2);  // given or thrown away, once
  }
};

// The handle is dropped while the task ends.
struct dropping : rl::test_suite<dropping, 2> {
  ending task;
  std::optional<join_handle<value>> handle;
  detail::atomic<int> made;
  rl::var<int> looks;

  void before() {
    new_threads();
    looked_at = &looks;
  }
  void thread(unsigned id) {
    if (id == 0) {
      handle.emplace(task.make());
      looks($) = 1;
      made.store(1, std::memory_order_release);
      RL_ASSERT(looks($) == 1);
      handle->detach();
    } else {
      while (!made.load(std::memory_order_acquire)) rl::yield(1, $);
      task.end();
    }
  }
  void after() { RL_ASSERT(task.state($) == 2); }
};

const model models[] = {
    {"join", &simulate<joining<false, false>>},
    {"join, cancelled", &simulate<joining<true, false>>},
    {"join, settled", &simulate<joining<false, true>>},
    {"join, settled and cancelled", &simulate<joining<true, true>>},
    {"drop", &simulate<dropping>},
};
const char* const files[] = {"/join_handle.hpp", "/join_handle.cpp"};

}  // namespace
}  // namespace astd::models

int main(int argc, char** argv) {
  using namespace astd::models;
  return model_main(argc, argv, models, files, {});
}
