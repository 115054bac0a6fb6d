// The captures live in the lambda, not in the coroutine: they are gone before it runs.
// compilers: clang
// flags: -DASTD_STRICT_LIFETIMES
// expect: destroyed at the end of the full-expression
#include <astd/coro/task.hpp>

astd::task<int> program(int n) {
  auto t = [n]() -> astd::task<int> { co_return n; }();
  auto v = co_await std::move(t);
  co_return v;
}
