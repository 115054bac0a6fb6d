// Tasks that end with their group: the first failure cancels the others, and none is left behind.
#include <astd/future.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <chrono>
#include <system_error>

using namespace std::chrono_literals;

astd::task<int> count_to(int number) {
  co_await astd::this_task::sleep_for(number * 10ms);
  co_return number;
}

astd::task<> fail_soon() {
  co_await astd::this_task::sleep_for(10ms);
  co_await astd::fail(std::errc::host_unreachable);
}

// Results as they come, the quickest first.
astd::task<int> sum_up(astd::task_group& group) {
  for (int i = 5; i >= 1; --i) group.spawn(count_to(i));
  int sum = 0;
  for (;;) {
    auto next = co_await group.next<int>();
    if (!next) co_return sum;
    co_await astd::println("{}", *next);
    sum += *next;
  }
}

astd::task<> doomed(astd::task_group& group) {
  group.spawn(fail_soon());
  co_await astd::this_task::sleep_for(1h);
}

astd::task<int> async_main() {
  auto sum = co_await astd::task_group::run(sum_up);
  co_await astd::println("sum {}", sum);

  auto result = co_await astd::as_result(astd::task_group::run(doomed));
  if (!result) co_await astd::println("the group failed: {}", result.error().message());
  co_return 0;
}
