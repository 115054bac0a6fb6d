// What only some tasks have: a name, task locals, a group they belong to.
#pragma once

#include <astd/base/intrusive_list.hpp>
#include <astd/coro/task_header.hpp>

#include <string>

namespace astd::detail {

class group_base;


struct task_extras {
  explicit task_extras(task_header& t) noexcept : task(t) {}
  task_header& task;
  std::string name;
  group_base* group = nullptr;
};

/// Makes them if there are none; throws std::bad_alloc.
task_extras& extras_of(task_header& t);

}  // namespace astd::detail
