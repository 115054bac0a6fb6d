// 100,000 tasks that all sleep for a second at the same time. It takes a second, not a day.
#include <astd/print.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <chrono>
#include <vector>

using namespace std::chrono_literals;
using std::chrono::steady_clock;

astd::task<int> nap(int number) {
  co_await astd::this_task::sleep_for(1s);
  co_return number;
}

astd::task<int> async_main() {
  auto begin = steady_clock::now();
  std::vector<astd::join_handle<int>> tasks;
  for (int i = 0; i < 100'000; ++i) tasks.push_back(astd::spawn(nap(i)));

  long sum = 0;
  for (auto& task : tasks) {
    auto number = co_await task;
    sum += number;
  }
  std::chrono::duration<double> took = steady_clock::now() - begin;
  co_await astd::println("{} tasks, sum {}, {:.2f} s", tasks.size(), sum, took.count());
  co_return sum == 4'999'950'000 ? 0 : 1;
}
