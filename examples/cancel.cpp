// A task that is cancelled in the middle: its destructors have run when cancel() returns, from the innermost out.
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <chrono>
#include <cstdio>

using namespace std::chrono_literals;

struct room {
  explicit room(const char* called) : name(called) { std::printf("into the %s\n", name); }
  room(const room&) = delete;
  ~room() { std::printf("out of the %s\n", name); }
  const char* name;
};

astd::task<> wait_in_the_cellar() {
  room cellar("cellar");
  co_await astd::this_task::sleep_for(1h);
}

astd::task<> visit() {
  room house("house");
  co_await wait_in_the_cellar();
  std::puts("never reached");
}

astd::task<int> async_main() {
  auto visitor = astd::spawn(visit());
  co_await astd::this_task::sleep_for(10ms);

  auto value = co_await visitor.cancel();
  std::puts(value ? "the visitor had gone already" : "the visitor has gone");
  co_return 0;
}
