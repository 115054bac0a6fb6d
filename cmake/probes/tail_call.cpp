// Passes if a chain of awaits that complete at once leaves the stack where it was. GCC makes symmetric transfer a
// tail call only where it optimises sibling calls, and never under its address and thread sanitizers (PR 94794,
// PR 100897). Looks at the stack's depth instead of overflowing it.
#include "tiny_task.hpp"

#include <cstddef>
#include <cstdint>

namespace {

#if defined(__GNUC__)
[[gnu::noinline]] std::uintptr_t stack_depth() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}
#else
std::uintptr_t stack_depth() {
  volatile char here = 0;
  return reinterpret_cast<std::uintptr_t>(&here);
}
#endif

std::uintptr_t first = 0;
std::uintptr_t last = 0;

tiny_task nothing() { co_return; }

tiny_task awaits_often() {
  constexpr int rounds = 500;
  for (int i = 0; i < rounds; ++i) {
    auto done = co_await nothing();
    (void)done;
    last = stack_depth();
    if (i == 0) first = last;
  }
}

}  // namespace

int main() {
  tiny_task task = awaits_often();
  task.start();
  const std::uintptr_t grown = first > last ? first - last : last - first;
  return task.done() && grown < std::size_t{4096} ? 0 : 1;
}
