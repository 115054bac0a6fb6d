// A task over a local that ends with the function which returns it.
// compilers: clang
// flags: -DASTD_STRICT_LIFETIMES
// expect: address of stack memory associated with local variable
#include <astd/coro/task.hpp>

#include <string>

astd::task<int> length(const std::string& text) { co_return static_cast<int>(text.size()); }

ASTD_CORO_WRAPPER astd::task<int> program() {
  std::string local = "gone before it is awaited";
  return length(local);
}
