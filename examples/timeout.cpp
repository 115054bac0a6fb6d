// Two time limits: one that is too short, and one that loses to the value.
#include <astd/future.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <chrono>
#include <string>

using namespace std::chrono_literals;

astd::task<std::string> answer() {
  co_await astd::this_task::sleep_for(50ms);
  co_return "forty-two";
}

astd::task<int> async_main() {
  auto hasty = co_await astd::as_result(astd::timeout(10ms, answer()));
  if (!hasty) co_await astd::println("within 10 ms: {}", hasty.error().message());

  auto patient = co_await astd::timeout(1min, answer());
  co_await astd::println("within a minute: {}", patient);
  co_return 0;
}
