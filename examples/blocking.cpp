// A call that blocks, on a thread of its own, while the worker goes on with other things.
#include <astd/future.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <chrono>
#include <thread>

using namespace std::chrono_literals;

// Anything that knows nothing of coroutines: a computation, a library, a system call.
int ask_the_old_database(int question) {
  std::this_thread::sleep_for(100ms);
  return 6 * question;
}

astd::task<> tick() {
  for (;;) {
    co_await astd::this_task::sleep_for(30ms);
    co_await astd::println("still here");
  }
}

astd::task<int> async_main() {
  auto clock = astd::spawn(tick());
  auto answer = co_await astd::spawn_blocking(ask_the_old_database, 7);
  co_await clock.cancel();
  co_await astd::println("the answer is {}", answer);
  co_return answer == 42 ? 0 : 1;
}
