// For the tests of this room.
#pragma once

#include <astd/runtime/join_handle.hpp>
#include <astd/runtime/runtime.hpp>
#include <astd/runtime/test_support.hpp>
#include <astd/runtime/this_task.hpp>
#include <astd/testing/gtest.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace astd::test {

/// Virtual time, and one worker: tasks run in an order that can be told, and need no lock for what they note.
[[nodiscard]] inline runtime_options one_worker() {
  runtime_options options = virtual_time();
  options.workers = 1;
  return options;
}

/// In virtual time: everything else has run as far as it goes.
[[nodiscard]] inline auto settle() { return this_task::sleep_for(std::chrono::milliseconds(1)); }

/// Tasks that arrive one after the other, each when the one before waits. In virtual time.
class in_order {
 public:
  template <class... Args>
  task<> spawn(Args... args) {
    handles_.push_back(astd::spawn(std::move(args)...));
    co_await settle();
  }
  join_handle<>& operator[](std::size_t i) { return handles_[i]; }
  task<> cancel(std::size_t i) {
    const auto ended = co_await handles_[i].cancel();
    static_cast<void>(ended);
  }
  task<> join() {
    for (auto& h : handles_) co_await h;
  }

 private:
  std::vector<join_handle<>> handles_;
};

/// Waits until a dump of `rt` says all of `texts`.
inline void wait_for_dump(runtime& rt, const std::vector<std::string>& texts) {
  wait_until([&] {
    const std::string dump = rt.dump_tasks();
    for (const std::string& text : texts)
      if (dump.find(text) == std::string::npos) return false;
    return true;
  });
}

}  // namespace astd::test
