// What the stations of the tour share. Each shows one thing, checks that it is so, and gives a few lines about it.
#pragma once

#include <astd/task.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

namespace tour {

// tasks.cpp
astd::task<std::string> hello();
astd::task<std::string> join();
astd::task<std::string> errors();
astd::task<std::string> timeouts();
astd::task<std::string> race();
astd::task<std::string> cancel();
astd::task<std::string> blocking();
astd::task<std::string> many_tasks();
// waiting.cpp
astd::task<std::string> channel();
// network.cpp
astd::task<std::string> udp_echo();
astd::task<std::string> tcp_in_turn();
astd::task<std::string> tcp_at_once();
// files.cpp
astd::task<std::string> directory();
// inside.cpp
astd::task<std::string> inside();

/// Ends the station, and with it the tour, if something is not as promised.
inline void expect(bool holds, const std::string& promise) {
  if (!holds) throw std::runtime_error("not so: " + promise);
}

/// How long it has been.
class stopwatch {
 public:
  [[nodiscard]] std::chrono::duration<double, std::milli> elapsed() const { return clock::now() - begin_; }
  [[nodiscard]] double milliseconds() const { return elapsed().count(); }

 private:
  using clock = std::chrono::steady_clock;
  clock::time_point begin_ = clock::now();
};

}  // namespace tour
