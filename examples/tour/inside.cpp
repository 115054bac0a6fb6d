// The last station of the tour: what can be seen of a running program from inside.
#include "station.hpp"
#include <astd/future.hpp>
#include <astd/net.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <array>
#include <chrono>
#include <string>

using namespace std::chrono_literals;
namespace net = astd::net;

namespace tour {
namespace {

astd::task<> wait_for_mail() {
  auto socket = co_await net::udp_socket::bind("127.0.0.1:0");
  std::array<char, 1024> buffer;
  co_await astd::timeout(1h, socket.recv(buffer));
}

astd::task<> tick() {
  for (;;) co_await astd::this_task::sleep_for(1s);
}

}  // namespace

astd::task<std::string> inside() {
  auto mail = astd::task_builder().name("mail").spawn(wait_for_mail());
  auto clock = astd::task_builder().name("clock").spawn(tick());
  co_await astd::this_task::sleep_for(5ms);  // they have come to where they wait

  auto tasks = astd::dump_tasks();
  expect(tasks.contains("'mail'") && tasks.contains("'clock'"), "the dump names every task");
  expect(tasks.contains("recv"), "the dump tells what a task waits for");
  auto metrics = astd::runtime::current().metrics();
  expect(metrics.tasks_spawned > 100'000, "the metrics count every task");

  co_await mail.cancel();
  co_await clock.cancel();
  co_return tasks + "\n" + metrics.to_string();
}

}  // namespace tour
