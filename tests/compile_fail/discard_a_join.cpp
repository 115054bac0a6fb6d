// Nor would this.
// compilers: clang gcc
// expect: nodiscard
#include <astd/coro/join.hpp>

astd::task<> work() { co_return; }

void program() { astd::join(work(), work()); }
