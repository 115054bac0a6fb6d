// As what else takes an awaitable: the constraint's name says what is to be done.
// compilers: clang gcc
// expect: no matching function for call to .*block_on
// says: task_given_by_std_move
#include <astd/runtime/block_on.hpp>

astd::task<int> one() { co_return 1; }

int program() {
  auto t = one();
  return astd::block_on(t);
}
