// What a spawned task has in front of its frame. Every task's frame is allocated with room for it, so that spawning
// allocates nothing; a task that is only awaited leaves the room untouched.
//
//   | task_header, outcome ... | tag | coroutine frame |
//
// The tag is the frame's size, with the top bit set once the task is spawned: then the frame's end does not free the
// block, the header's does.
#pragma once

#include <astd/base/intrusive_list.hpp>
#include <astd/coro/chain.hpp>
#include <astd/coro/promise.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

namespace astd::detail {

class runtime_core;
class task_registry;
class join_waiter;
struct task_extras;

/// Where a coroutine's outcome goes if it has one.
template <class T>
struct task_slot : frame_slot {
  using frame_slot::frame_slot;
  outcome<T> result;
};

struct task_header : list_node {
  task_header(resume_function ended, executor& on, std::uint64_t task_id) noexcept
      : root(ended, on, this), id(task_id) {}
  chain root;
  /// 0 while it runs and a handle exists; see spawn.cpp.
  std::atomic<std::uintptr_t> join{0};
  std::uint64_t id;
  runtime_core* runtime = nullptr;    // floor 3: whose task it is
  task_registry* registry = nullptr;  // whose list it is in, if it is in one
  join_waiter* joined_here = nullptr;  // while it is fresh: who waits for it without having published that
  task_extras* extras = nullptr;      // name, task locals, group: only if it has any
  bool is_blocking_call = false;      // runs on a thread that no dump can hold; set before it is launched

  static task_header& from_end(resumable* r) noexcept { return *chain::from_end(r).task(); }
};

template <class T>
struct spawned_task : task_header {
  spawned_task(resume_function ended, executor& on, std::uint64_t task_id, std::coroutine_handle<> frame) noexcept
      : task_header(ended, on, task_id), slot(frame) {}
  task_slot<T> slot;
};

inline constexpr std::uint64_t spawned_tag = std::uint64_t(1) << 63;

/// Bytes in front of the frame of a task<T>.
template <class T>
inline constexpr std::size_t task_room = [] {
  constexpr std::size_t align = alignof(spawned_task<T>) > 16 ? alignof(spawned_task<T>) : 16;
  return (sizeof(spawned_task<T>) + sizeof(std::uint64_t) + align - 1) / align * align;
}();

inline std::uint64_t& tag_of(void* frame) noexcept { return *(static_cast<std::uint64_t*>(frame) - 1); }

}  // namespace astd::detail
