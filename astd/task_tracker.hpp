// task_tracker: waiting for the end of tasks that run by themselves.
#pragma once

#include <astd/sync/task_tracker.hpp>
