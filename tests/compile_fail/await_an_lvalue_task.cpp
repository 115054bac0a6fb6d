// A task is awaited once, and given up by that.
// compilers: clang gcc
// expect: no matching (member )?function for call to [^ ]*await_transform
// says: does not satisfy 'awaitable|satisfaction of [^ ]*awaitable
#include <astd/coro/task.hpp>

astd::task<int> one() { co_return 1; }

astd::task<int> program() {
  auto t = one();
  auto v = co_await t;
  co_return v;
}
