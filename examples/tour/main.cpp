// The tour: tasks, sockets, files, time limits and cancellation, each shown and checked. Ends by itself.
#include "station.hpp"
#include <astd/print.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>

#include <array>
#include <exception>
#include <string>
#include <string_view>

namespace {

struct station {
  std::string_view title;
  astd::task<std::string> (*visit)();
};

constexpr std::array stations{
    station{"Hello, world", tour::hello},
    station{"Two tasks, joined", tour::join},
    station{"One error, in three ways", tour::errors},
    station{"UDP: an echo server and its client", tour::udp_echo},
    station{"TCP: the server of every tutorial, one client after the other", tour::tcp_in_turn},
    station{"TCP: the same server, concurrent, and its clients all at once", tour::tcp_at_once},
    station{"A timeout that fires, and one that loses to the value", tour::timeouts},
    station{"A race, and what becomes of the loser", tour::race},
    station{"A task is cancelled in the middle", tour::cancel},
    station{"A channel, a lock, and a time limit that loses nothing", tour::channel},
    station{"All files of a directory, read at the same time", tour::directory},
    station{"Calls that block, where they do no harm", tour::blocking},
    station{"100,000 tasks", tour::many_tasks},
    station{"A look inside: the tasks and the metrics", tour::inside},
};

// The lines below a title are set in.
std::string indented(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c != '\n' && (out.empty() || out.back() == '\n')) out += "    ";
    out += c;
  }
  if (out.empty() || out.back() != '\n') out += '\n';
  return out;
}

}  // namespace

astd::task<int> async_main() {
  auto runtime = astd::runtime::current().metrics();
  co_await astd::println("astd, on {} workers and the driver {}\n", runtime.workers.size(), runtime.driver);

  tour::stopwatch all;
  int number = 0;
  for (const station& s : stations) {
    co_await astd::print("{:2}  {:<70}", ++number, s.title);
    tour::stopwatch one;
    std::string report;
    std::string failure;
    try {
      report = co_await s.visit();
    } catch (const std::exception& e) {
      failure = e.what();
    }
    if (!failure.empty()) {
      co_await astd::print("    failed\n{}", indented(failure));
      co_await astd::eprintln("station {} of the tour, \"{}\", failed: {}", number, s.title, failure);
      co_return 1;
    }
    co_await astd::println("{:10.2f} ms\n{}", one.milliseconds(), indented(report));
  }
  co_await astd::println("{} stations in {:.2f} s, and everything was as promised.", number,
                         all.milliseconds() / 1000);
  co_return 0;
}
