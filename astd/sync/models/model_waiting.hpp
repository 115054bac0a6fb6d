// For models of what tasks wait in: the queue of waiters, whose spinning tells Relacy that somebody else must go on, and
// nothing in the place of what a plain thread would wait with.
#pragma once

// clang-format off: the standard's headers cannot be read under Relacy's macros.
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include <astd/base/assert.cpp>
#include <astd/base/error.cpp>
#include <astd/base/models/model_threads.hpp>
#include <astd/coro/chain.cpp>
#include <astd/sync/owner.cpp>
#include <astd/sync/wait_on_thread.hpp>
#include <astd/sync/wait_queue.cpp>
// clang-format on

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace astd::detail {

wait_queue::word wait_queue::lock_slowly() noexcept {
  word state;
  do rl::yield(1, $);
  while (!try_lock(state));
  return state;
}

bool is_in_runtime() noexcept { return false; }
runtime_core& current_core() { std::abort(); }
blocking_root::entry::entry(runtime_core& core) : core_(core), outer_(nullptr), stay_(nullptr) {}
blocking_root::entry::~entry() = default;
blocking_root::blocking_root(runtime_core& core) : entry_(core), task_(default_executor()) {}
blocking_root::~blocking_root() = default;
void blocking_root::run(resumable*) noexcept {}
void blocking_root::ended(resumable*) {}
thread_wait::thread_wait() noexcept : root_(&ended, *this, false), outer_(nullptr) {}
thread_wait::~thread_wait() = default;
void thread_wait::run(resumable*) noexcept {}
void thread_wait::run_until(resumable*, std::chrono::steady_clock::time_point) noexcept {}
void thread_wait::schedule(resumable&, urgency) noexcept {}
void thread_wait::ended(resumable*) {}
executor& default_executor() noexcept { std::abort(); }

}  // namespace astd::detail

namespace astd::models {

using detail::chain;
using detail::resumable;

/// Runs everything at once, where it is scheduled.
inline struct on_the_spot final : detail::executor {
  void schedule(resumable& r, detail::urgency) noexcept override { detail::run(r); }
} here;

// What the list, the waiters' places and the word's own memory are to the threads: whoever unlocks has changed the list,
// whoever touches the word needs it to be there.
struct watched {
  rl::var<int> list;
  rl::var<int> memory;

  void before() {
    new_threads();
    place = this;
    list($) = 0;
    memory($) = 1;
    beforehand = &touched;
  }
  static void touched(std::source_location at) {
    const std::string_view file = at.file_name(), function = at.function_name();
    if (file.find("/sync/") == std::string_view::npos) return;
    RL_ASSERT(place->memory($) == 1);
    if (function.find("wait_queue::unlock(") != std::string_view::npos) place->list($) = place->list($) + 1;
  }
  static inline watched* place = nullptr;
};

/// Makes an awaiter in its place, which cannot be moved there.
template <class Awaitable>
struct awaiter_from {
  const Awaitable& awaitable;
  operator decltype(std::declval<const Awaitable&>().operator co_await())() const {
    return awaitable.operator co_await();
  }
};

/// One who waits for something by an Awaiter: then the suite's got() is called, or its stopped().
template <class Suite, class Awaiter>
struct party {
  chain line{&ended, here, false};
  resumable after{&went_on, this};
  std::optional<Awaiter> awaiting;
  Suite* suite = nullptr;
  int ends = 0;
  bool was_stopped = false;

  template <class... A>
  void start(Suite& in, A&&... arguments) {
    suite = &in;
    awaiting.emplace(std::forward<A>(arguments)...);
    if constexpr (requires { awaiting->await_ready(); })
      if (awaiting->await_ready()) return detail::run(after);
    if (resumable* const r = awaiting->start({&after, &line, nullptr})) detail::run(*r);
  }
  static void went_on(resumable* r) {
    auto& self = *static_cast<party*>(r->second_);
    RL_ASSERT(self.ends++ == 0);
    self.suite->got(self);
  }
  static void ended(resumable* r) {
    chain& line = chain::from_end(r);
    auto& self = *reinterpret_cast<party*>(reinterpret_cast<char*>(&line) - offsetof(party, line));
    RL_ASSERT(line.stopped());
    RL_ASSERT(self.ends++ == 0);
    self.was_stopped = true;
    self.suite->stopped(self);
  }
};

}  // namespace astd::models
