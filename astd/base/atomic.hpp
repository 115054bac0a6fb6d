// The atomics of the lock-free parts go by this name, so that a model checker can put its own in their place and
// explore what the memory orders allow (see astd/runtime/models).
#pragma once

#include <atomic>

#ifndef ASTD_ATOMIC
#define ASTD_ATOMIC std::atomic
#endif

namespace astd::detail {

template <class T>
using atomic = ASTD_ATOMIC<T>;

}  // namespace astd::detail
