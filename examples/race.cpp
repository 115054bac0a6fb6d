// The first of two wins, and the other has ended, destructors and all, before race returns.
#include <astd/future.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;

// Whatever a task holds: a file, a lock, a connection.
struct connection {
  explicit connection(std::string to) : name(std::move(to)) {}
  connection(const connection&) = delete;
  ~connection() { std::printf("closed the connection to %s\n", name.c_str()); }
  std::string name;
};

astd::task<std::string> fetch(std::string mirror, std::chrono::milliseconds takes) {
  connection to(mirror);
  co_await astd::this_task::sleep_for(takes);
  co_return "the page, from " + mirror;
}

astd::task<int> async_main() {
  auto page = co_await astd::race(fetch("a slow mirror", 1h), fetch("a quick mirror", 10ms));
  std::printf("got %s\n", page.c_str());
  co_return 0;
}
