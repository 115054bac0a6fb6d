// A look into the running program: every task with what it waits for, and what the runtime has counted.
#include <astd/future.hpp>
#include <astd/net.hpp>
#include <astd/print.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <chrono>

using namespace std::chrono_literals;
namespace net = astd::net;

astd::task<> wait_for_a_client() {
  auto listener = co_await net::tcp_listener::bind("127.0.0.1:0");
  co_await astd::timeout(1h, listener.accept());
}

astd::task<> tick() {
  for (;;) co_await astd::this_task::sleep_for(1s);
}

astd::task<int> async_main() {
  auto server = astd::task_builder().name("server").spawn(wait_for_a_client());
  auto clock = astd::task_builder().name("clock").spawn(tick());
  co_await astd::this_task::sleep_for(10ms);

  co_await astd::println("{}", astd::dump_tasks());
  co_await astd::print("{}", astd::runtime::current().metrics().to_string());

  co_await server.cancel();
  co_await clock.cancel();
  co_return 0;
}
