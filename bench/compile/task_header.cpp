#include <astd/task.hpp>
