// Whose frame would it be?
// compilers: clang gcc
// expect: deleted
#include <astd/coro/task.hpp>

astd::task<int> one() { co_return 1; }

void program() {
  auto t = one();
  auto copy = t;
}
