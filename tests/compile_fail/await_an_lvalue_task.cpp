// A task is awaited once, and given up by that.
// compilers: clang gcc
// expect: static assertion failed.*write co_await std::move
#include <astd/coro/task.hpp>

astd::task<int> one() { co_return 1; }

astd::task<int> program() {
  auto t = one();
  auto v = co_await t;
  co_return v;
}
