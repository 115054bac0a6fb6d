// Starting tasks that run by themselves.
//
//   auto h = astd::spawn(serve(std::move(stream)));          // on the workers
//   auto n = astd::spawn_blocking([] { return slow(); });    // on a thread that may block
//   astd::spawn([](std::string url) -> astd::task<> { ... }, url).detach();
//
// A callable and its arguments are moved into the task and live as long as it: the form to use with lambdas.
#pragma once

#include <astd/base/invoke.hpp>
#include <astd/coro/task.hpp>
#include <astd/runtime/join_handle.hpp>

#include <coroutine>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

namespace astd {
namespace detail {

class runtime_core;
class worker;

/// Where a task is to run; found before anything is allocated.
struct spawn_place {
  executor* on;
  task_registry* count_in;
  worker* here;  // this thread, if it may run the task next
};
runtime_core& current_core();
spawn_place place_now();  // in the current runtime
spawn_place place_on(runtime_core& core) noexcept;
spawn_place place_here();  // this thread's pinned executor; throws outside of a runtime
std::uint64_t new_task_id() noexcept;
/// `r` if this thread is one that `on` runs on and has time left in this turn; else schedules it there and gives null.
[[nodiscard]] resumable* here_or_there(executor& on, resumable* r) noexcept;
void name_task(task_header& t, std::string name);
/// Copies the task locals that are inherited here to `t`, once. Throws what copying them throws.
void inherit_here(task_header& t);
/// Makes the task ready; inherit_here() first.
void launch(task_header& t, const spawn_place& place);
/// The same, but runs it on the calling thread up to its first suspension.
void launch_inline(task_header& t, const spawn_place& place);
/// For a task that is not to be launched, when its frame is gone.
void forget_locals(task_header& t) noexcept;

/// A task's first turn. False: it is to end before it begins.
bool begin_task(task_header& t) noexcept;
/// The frame has ended or was unwound; it may not be destroyed yet.
void leave_registry(task_header& t) noexcept;
/// What is left to do when the frame is gone: returns what to go on with; sets `gone` if nobody has a handle. The task
/// stays the thread's current one until the next is, or until this turn ends: nobody asks in between.
resumable* end_task(task_header& t, bool& gone) noexcept;
resumable* tell_joiner(task_header& t, bool& gone) noexcept;

template <class T>
void task_ended(resumable* r) {
  auto* const t = static_cast<spawned_task<T>*>(&task_header::from_end(r));
  const bool fresh = t->root.is_fresh();
  if (!fresh) leave_registry(*t);
  if (!t->root.stopped()) std::coroutine_handle<>::from_address(frame_of(*t)).destroy();
  if (fresh && !t->root.is_fresh()) leave_registry(*t);  // a parameter's destructor had it settled
  bool gone = false;
  resumable* const next = end_task(*t, gone);
  if (gone) {
    report_lost_by(*t, t->result);
    free_task(t);
  }
  ASTD_TRANSFER_TO(next);
}

// The first thing a task runs: nothing at all if it was cancelled before.
template <class T>
void task_started(resumable* r) {
  auto* const t = static_cast<spawned_task<T>*>(&task_header::from_end(r));
  r->set_resume(&task_ended<T>);
  resumable* next = r;
  if (begin_task(*t)) {
    next = static_cast<resumable*>(frame_of(*t));
  } else {
    set_current_chain(&t->root);  // destructors may ask who they are
    std::coroutine_handle<>::from_address(frame_of(*t)).destroy();
    t->root.set_stopped();
  }
  ASTD_TRANSFER_TO(next);
}

/// A task on its way to being launched; ended if something fails in between.
template <class T>
class prepared_task {
 public:
  explicit prepared_task(spawned_task<T>* t) noexcept : task_(t) {}
  prepared_task(prepared_task&& other) noexcept : task_(other.release()) {}
  prepared_task& operator=(prepared_task&&) = delete;
  ~prepared_task() {
    if (task_) abandon(task_);
  }
  spawned_task<T>& operator*() const noexcept { return *task_; }
  spawned_task<T>* operator->() const noexcept { return task_; }
  spawned_task<T>* get() const noexcept { return task_; }
  spawned_task<T>* release() noexcept { return std::exchange(task_, nullptr); }

 private:
  ASTD_NOINLINE static void abandon(spawned_task<T>* t) noexcept {
    std::coroutine_handle<>::from_address(frame_of(*t)).destroy();
    forget_locals(*t);
    free_task(t);
  }
  spawned_task<T>* task_;
};

template <class T>
prepared_task<T> prepare_task(task<T>&& from, const spawn_place& place,
                              const std::source_location& where) noexcept {
  const auto frame = task_access::release(from);
  ASTD_ASSERT(frame, "a task was spawned that is empty: moved from, or awaited before");
  void* const block = static_cast<char*>(frame.address()) - task_room<T>;
  auto* const t = ::new (block) spawned_task<T>(&task_started<T>, *place.on);
  tag_of(frame.address()) |= spawned_tag;
  frame.promise().start_as(t->root);
  frame.promise().set_where(where);
  return prepared_task<T>(t);
}

template <class T>
join_handle<T> launch_task(task<T>&& from, const spawn_place& place, const std::source_location& where) {
  prepared_task<T> t = prepare_task(std::move(from), place, where);
  launch(*t, place);
  return join_handle<T>::of(t.release());
}

template <class F, class... A>
using task_of = std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>;

template <class F, class... A>
concept task_callable = requires { typename task_of<F, A...>; } && is_task<task_of<F, A...>>;

/// What can be spawned that is not a task: what makes one, and anything else to await.
template <class F, class... A>
concept spawnable =
    task_callable<F, A...> || (sizeof...(A) == 0 && awaitable<std::decay_t<F>> && !is_task<std::decay_t<F>> &&
                               std::constructible_from<std::decay_t<F>, F>);

/// Keeps a callable and its arguments alive as long as the task they make.
template <class F, class... A>
task_of<F, A...> call_inside(F f, A... arguments) {
  if constexpr (std::is_void_v<typename task_of<F, A...>::value_type>)
    co_await detail::invoke(std::move(f), std::move(arguments)...);
  else
    co_return co_await detail::invoke(std::move(f), std::move(arguments)...);
}

template <class F, class... A>
  requires task_callable<F, A...>
auto make_task(F&& f, A&&... arguments) {
  // Without captures and arguments there is nothing to keep.
  if constexpr (sizeof...(A) == 0 && std::is_empty_v<std::decay_t<F>>)
    return std::decay_t<F>(std::forward<F>(f))();
  else
    return call_inside<std::decay_t<F>, std::decay_t<A>...>(std::forward<F>(f), std::forward<A>(arguments)...);
}

template <class A>
task<await_result_t<A>> await_inside(A a) {
  if constexpr (std::is_void_v<await_result_t<A>>)
    co_await std::move(a);
  else
    co_return co_await std::move(a);
}

template <class A>
  requires(spawnable<A> && !task_callable<A>)
auto make_task(A&& a) {
  return await_inside<std::decay_t<A>>(std::forward<A>(a));
}

template <class T>
join_handle<T> spawn_on(runtime_core& core, task<T> t,
                        std::source_location where = std::source_location::current()) {
  return launch_task(std::move(t), place_on(core), where);
}
template <class F, class... A>
  requires spawnable<F, A...>
auto spawn_on(runtime_core& core, F&& f, A&&... arguments) {
  return launch_task(make_task(std::forward<F>(f), std::forward<A>(arguments)...), place_on(core),
                     std::source_location::current());
}

/// For work that has to be done though nobody waits for it: it begins in any case, and a shutdown waits for it. What is
/// not to be stopped later is shielded by itself.
inline void spawn_anyway(task<> t) {
  const spawn_place place = place_now();
  prepared_task<void> made = prepare_task(std::move(t), place, std::source_location::current());
  made->root.begins_anyway = true;
  launch(*made, place);
  join_handle<>::of(made.release()).detach();
}

}  // namespace detail

/// Runs `t` on the workers of the current runtime (that of the task or block_on we are in, else the default one). Never
/// blocks and never runs the task inside the call. What the task refers to outlives it. Any thread. Throws only what
/// starting the default runtime throws, and what copying inherited task locals throws.
template <class T>
join_handle<T> spawn(task<T> t, std::source_location where = std::source_location::current()) {
  return detail::launch_task(std::move(t), detail::place_now(), where);
}

/// Calls f(arguments...), which gives a task, and runs that; the callable and the arguments are copied or moved into
/// the task and destroyed at its end. std::ref refers to an argument instead. Any other awaitable is moved into a task that
/// awaits it: spawn(timeout(1s, work())).
template <class F, class... A>
  requires detail::spawnable<F, A...>
auto spawn(F&& f, A&&... arguments) {
  return detail::launch_task(detail::make_task(std::forward<F>(f), std::forward<A>(arguments)...),
                             detail::place_now(), std::source_location::current());
}

/// As spawn, but the task stays on the calling thread: a worker, or a thread inside block_on, until it ends. What it
/// touches need not be thread-safe. Tasks that were spawned inside block_on and have not ended are cancelled, and
/// waited for, when the outermost block_on of the thread returns. Throws std::logic_error elsewhere.
template <class T>
join_handle<T> spawn_local(task<T> t, std::source_location where = std::source_location::current()) {
  return detail::launch_task(std::move(t), detail::place_here(), where);
}
/// The same for a callable and its arguments: see spawn.
template <class F, class... A>
  requires detail::spawnable<F, A...>
auto spawn_local(F&& f, A&&... arguments) {
  const detail::spawn_place place = detail::place_here();
  return detail::launch_task(detail::make_task(std::forward<F>(f), std::forward<A>(arguments)...), place,
                             std::source_location::current());
}

}  // namespace astd

#include <astd/runtime/spawn_blocking.hpp>
