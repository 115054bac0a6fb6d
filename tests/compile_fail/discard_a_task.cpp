// It would not even run.
// compilers: clang gcc
// expect: a task does nothing until it is awaited or spawned
#include <astd/coro/task.hpp>

astd::task<> work() { co_return; }

astd::task<> program() {
  work();
  co_return;
}
