// With strict lifetimes a function that returns a task without being a coroutine says so.
// compilers: clang
// flags: -DASTD_STRICT_LIFETIMES
// expect: coro_wrapper
#include <astd/coro/task.hpp>

astd::task<int> one() { co_return 1; }
astd::task<int> program() { return one(); }
