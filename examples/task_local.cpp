// A value that belongs to a task, wherever in it we are: the number of the request, in every line of the log.
#include <astd/future.hpp>
#include <astd/print.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <string>

astd::task_local<int> request;

astd::task<> log(std::string what) { co_await astd::println("request {}: {}", request.get(), what); }

astd::task<> handle() {
  co_await log("begins");
  co_await astd::this_task::yield();
  co_await log("ends");
}

astd::task<int> async_main() {
  co_await astd::join(request.with(1, handle()), request.with(2, handle()));
  co_return 0;
}
