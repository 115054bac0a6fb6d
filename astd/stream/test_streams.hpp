// For the tests of streams: sources that wait, and what is seen of them.
#pragma once

#include <astd/runtime/this_task.hpp>
#include <astd/stream/generator.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace astd::test {

/// 0 ... n - 1, where each is waited for.
inline generator<int> counting(int n) {
  for (int i = 0; i < n; ++i) {
    co_await this_task::yield();
    co_yield i;
  }
}

/// `first`, first + 1, ...: n of them, each `d` after the one before was asked for.
inline generator<int> every(std::chrono::milliseconds d, int first, int n) {
  for (int i = first; i < first + n; ++i) {
    co_await this_task::sleep_for(d);
    co_yield i;
  }
}

/// A stream of the user's own, with a next() alone: the elements of a vector. Says how often it was asked.
class own_stream {
 public:
  explicit own_stream(std::vector<int> of) : of_(std::move(of)) {}
  task<std::optional<int>> next() {
    ++asked;
    co_await this_task::yield();
    if (at_ == of_.size()) {
      ++ends;
      co_return std::nullopt;
    }
    co_return of_[at_++];
  }
  int asked = 0;
  int ends = 0;

 private:
  std::vector<int> of_;
  std::size_t at_ = 0;
};

using ints = std::vector<int>;

}  // namespace astd::test
