// The task outlives the temporary that its parameter refers to.
// compilers: clang
// flags: -DASTD_STRICT_LIFETIMES
// expect: destroyed at the end of the full-expression
#include <astd/coro/task.hpp>

#include <string>

astd::task<int> length(const std::string& text) { co_return static_cast<int>(text.size()); }

astd::task<int> program() {
  auto t = length(std::string("gone before it is awaited"));
  auto v = co_await std::move(t);
  co_return v;
}
