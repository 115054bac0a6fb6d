// Composites take tasks by move, too.
// compilers: clang gcc
// expect: no matching function for call to .*join
#include <astd/coro/join.hpp>

astd::task<int> one() { co_return 1; }

astd::task<> program() {
  auto t = one();
  co_await astd::join(t, one());
}
