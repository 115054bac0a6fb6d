// std::expected cannot hold one.
// compilers: clang gcc
// expect: as_result: std::expected cannot hold a reference
#include <astd/coro/as_result.hpp>

astd::task<int&> refers(int& r) { co_return r; }

astd::task<> program(int n) {
  auto r = co_await astd::as_result(refers(n));
  (void)r;
}
