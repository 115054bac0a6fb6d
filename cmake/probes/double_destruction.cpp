// Passes if a temporary lambda with an owning capture, made inside an awaiting expression, is destroyed once.
// GCC 12.2 destroys it twice (GCC PR 95599 and its kin). Counts instead of owning, so that the probe cannot crash.
#include "tiny_task.hpp"

namespace {

int alive = 0;

struct counted {
  counted() noexcept { ++alive; }
  counted(const counted&) noexcept { ++alive; }
  counted(counted&&) noexcept { ++alive; }
  ~counted() { --alive; }
};

template <class F>
tiny_task call(F function) {
  function();
  co_return;
}

tiny_task awaits_owning_lambda() {
  counted value;
  auto done = co_await call([value] { (void)value; });
  (void)done;
}

}  // namespace

int main() {
  {
    tiny_task task = awaits_owning_lambda();
    task.start();
  }
  return alive == 0 ? 0 : 1;
}
