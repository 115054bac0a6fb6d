// Stations of the tour in which tasks wait for each other.
#include "station.hpp"
#include <astd/channel.hpp>
#include <astd/future.hpp>
#include <astd/mutex.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace tour {
namespace {

constexpr int producers = 4, consumers = 3, each = 5000;

astd::task<> produce(astd::sender<int> to) {
  for (int i = 1; i <= each; ++i) co_await to.send(i);
}

struct harvest {
  long sum = 0;
  int cut_off = 0;
};

// Every tenth time with no patience at all: what is there is given, and what comes later is for the next one who asks.
astd::task<> consume(astd::receiver<int> from, astd::mutex& lock, harvest& all) {
  harvest mine;
  for (int i = 0;; ++i) {
    if (i % 10 == 0) {
      const auto hasty = co_await astd::as_result(astd::timeout(0s, from.recv()));
      if (!hasty) {
        ++mine.cut_off;
        continue;
      }
      if (!*hasty) break;
      mine.sum += **hasty;
    } else {
      const auto message = co_await from.recv();
      if (!message) break;
      mine.sum += *message;
    }
  }
  const auto guard = co_await lock.lock();
  all.sum += mine.sum;
  co_await astd::this_task::yield();  // a lock of tasks may be held across an await
  all.cut_off += mine.cut_off;
}

}  // namespace

astd::task<std::string> channel() {
  auto [sending, receiving] = astd::channel<int>(16);
  astd::mutex lock;
  harvest all;
  std::vector<astd::join_handle<>> tasks;
  for (int i = 0; i < consumers; ++i) tasks.push_back(astd::spawn(consume(receiving, lock, all)));
  for (int i = 1; i < producers; ++i) tasks.push_back(astd::spawn(produce(sending)));
  tasks.push_back(astd::spawn(produce(std::move(sending))));  // with the last sender the channel ends
  for (auto& task : tasks) co_await task;
  constexpr long expected = long(producers) * each * (each + 1) / 2;
  expect(all.sum == expected, "every message arrives once");
  co_return fmt::format(
      "{} messages from {} tasks to {}, through a channel with room for 16;\n"
      "{} of the receives were cut off by a time limit, and no message was lost\n",
      producers * each, producers, consumers, all.cut_off);
}

}  // namespace tour
