// Tasks: task<T>, spawn and its handles, groups, block_on, task locals.
#pragma once

#include <astd/coro/task.hpp>
#include <astd/runtime/block_on.hpp>
#include <astd/runtime/join_handle.hpp>
#include <astd/runtime/spawn.hpp>
#include <astd/runtime/task_builder.hpp>
#include <astd/runtime/task_group.hpp>
#include <astd/runtime/task_local.hpp>
