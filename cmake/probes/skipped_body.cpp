// Passes if a coroutine runs whose outermost scope declares nothing and which awaits inside a condition.
// GCC 12.2 leaves it suspended for ever (cases of its own suite: g++.dg/coroutines/pr106188.C).
#include "tiny_task.hpp"

namespace {

bool ran = false;

tiny_task nothing() { co_return; }

tiny_task awaits_in_condition() {
  if (co_await nothing()) ran = true;
}

}  // namespace

int main() {
  tiny_task task = awaits_in_condition();
  task.start();
  return ran && task.done() ? 0 : 1;
}
