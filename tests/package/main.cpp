#include <astd/task.hpp>

namespace {

astd::task<int> twice(int number) { co_return 2 * number; }

}  // namespace

astd::task<int> async_main() {
  auto answer = co_await twice(21);
  co_return answer == 42 ? 0 : 1;
}
