// What a spawned task has in front of its frame. Every task's frame is allocated with room for it, so that spawning
// allocates nothing; a task that is only awaited leaves the room untouched.
//
//   | task_header, outcome ... | tag | coroutine frame |
//
// The tag is the frame's size, with the top bit set once the task is spawned: then the frame's end does not free the
// block, the header's does.
#pragma once

#include <astd/base/atomic.hpp>
#include <astd/base/intrusive_list.hpp>
#include <astd/coro/chain.hpp>
#include <astd/coro/promise.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace astd::detail {

class task_registry;
struct task_extras;

/// Where a coroutine's outcome goes if it has one.
template <class T>
struct task_slot : frame_slot {
  using frame_slot::frame_slot;
  outcome<T> result;
};

/// The chain of a task, and what only the chains of tasks have to remember.
struct task_root : chain {
  using chain::chain;
  bool is_blocking_call = false;  // runs on a thread that no dump can hold; set before it is launched
  bool begins_anyway =
      false;  // though a stop was asked before, or the runtime is ending; set before it is launched
  bool is_joined_here =
      false;  // while it is fresh: `join` holds a join_waiter that has not published its suspension
};

struct task_header : list_node {
  task_header(resume_function ended, executor& on) noexcept : root(ended, on, true) {
    static_assert(sizeof(list_node) == chain::place_in_task && alignof(task_root) <= chain::place_in_task);
  }
  task_root root;
  /// 0 while it runs and a handle exists; see spawn.cpp.
  atomic<std::uintptr_t> join{0};
  std::uint64_t id = 0;               // floor 3, this and the rest: given when it is launched
  task_registry* registry = nullptr;  // where it counts; once it has begun and is not fresh, whose list it is in
  task_extras* extras = nullptr;      // name, task locals, group: only if it has any

  static task_header& from_end(resumable* r) noexcept { return *chain::from_end(r).task(); }
};

template <class T>
struct spawned_task : task_header {
  using task_header::task_header;
  outcome<T> result;
  static spawned_task& of_frame(void* frame) noexcept;
};

inline constexpr std::uint64_t spawned_tag = std::uint64_t(1) << 63;

/// Bytes in front of the frame of a task<T>.
template <class T>
inline constexpr std::size_t task_room = [] {
  constexpr std::size_t align = alignof(spawned_task<T>) > 16 ? alignof(spawned_task<T>) : 16;
  return (sizeof(spawned_task<T>) + sizeof(std::uint64_t) + align - 1) / align * align;
}();

template <class T>
spawned_task<T>& spawned_task<T>::of_frame(void* frame) noexcept {
  return *reinterpret_cast<spawned_task*>(static_cast<char*>(frame) - task_room<T>);
}
template <class T>
void* frame_of(spawned_task<T>& t) noexcept {
  return reinterpret_cast<char*>(&t) + task_room<T>;
}

inline std::uint64_t& tag_of(void* frame) noexcept { return *(static_cast<std::uint64_t*>(frame) - 1); }

}  // namespace astd::detail
