// What only some tasks have: a name, task locals, a group they belong to.
#pragma once

#include <astd/coro/task_header.hpp>

#include <string>

namespace astd::detail {

struct group_child;
struct local_binding;

struct task_extras {
  std::string name;
  bool grouped = false;                // was spawned in a group
  group_child* in_group = nullptr;     // see task_group.cpp
  bool failure_taken = false;          // by its group: nothing is lost if the handle is dropped
  local_binding* inherited = nullptr;  // owned: destroyed when the task's frame is gone
};

/// Makes them if there are none; throws std::bad_alloc.
task_extras& extras_of(task_header& t);

}  // namespace astd::detail
