// Hello, world: a coroutine in the place of main.
#include <astd/print.hpp>
#include <astd/task.hpp>

astd::task<int> async_main() {
  co_await astd::println("Hello, world!");
  co_return 0;
}
