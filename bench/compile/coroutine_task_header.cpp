#include <astd/coro/task.hpp>
