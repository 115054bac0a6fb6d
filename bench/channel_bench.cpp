#include <astd/channel.hpp>
#include <astd/task.hpp>

#include <bench/channel_bench.hpp>
#include <bench/measure.hpp>

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {
namespace {

astd::task<> give_back(astd::receiver<std::uint64_t> from, astd::sender<std::uint64_t> to) {
  for (;;) {
    auto const ball = co_await from.recv();
    if (!ball) co_return;
    co_await to.send(*ball);
  }
}

astd::task<> play(std::uint64_t count) {
  auto there = astd::channel<std::uint64_t>(1);
  auto back = astd::channel<std::uint64_t>(1);
  auto other = astd::spawn(give_back(std::move(there.second), std::move(back.first)));
  for (std::uint64_t i = 0; i < count; ++i) {
    co_await there.first.send(i);
    auto const ball = co_await back.second.recv();
    check(ball == i, "channel");
  }
  {
    auto const gone = std::move(there.first);
  }
  co_await other;
}

astd::task<> ping_pong(std::uint64_t count) {
  auto work = [=]() -> astd::task<> { co_await astd::spawn(play(count)); };
  co_await measure("channel", count, work);
}

astd::task<> produce(astd::sender<std::uint64_t> to, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) co_await to.send(i);
}

astd::task<> consume(astd::receiver<std::uint64_t> from, std::uint64_t expected) {
  std::uint64_t sum = 0;
  for (;;) {
    auto const message = co_await from.recv();
    if (!message) break;
    sum += *message;
  }
  check(sum == expected, "mpsc");
}

/// `producers` tasks send `count` messages each to one; a capacity of 0 is none.
astd::task<> mpsc(const char* name, std::size_t capacity, std::uint64_t producers, std::uint64_t count) {
  auto work = [=]() -> astd::task<> {
    auto ends = capacity != 0 ? astd::channel<std::uint64_t>(capacity) : astd::unbounded_channel<std::uint64_t>();
    auto consumer = astd::spawn(consume(std::move(ends.second), producers * (count * (count - 1) / 2)));
    for (std::uint64_t i = 0; i < producers; ++i) astd::spawn(produce(ends.first, count)).detach();
    {
      auto const gone = std::move(ends.first);
    }
    co_await consumer;
  };
  co_await measure(name, producers * count, work);
}

astd::task<std::uint64_t> sum_of(astd::receiver<std::uint64_t> from) {
  std::uint64_t sum = 0;
  for (;;) {
    auto const message = co_await from.recv();
    if (!message) co_return sum;
    sum += *message;
  }
}

/// `tasks` tasks send `count` messages each to as many, over 1024 places.
astd::task<> mpmc(std::uint64_t tasks, std::uint64_t count) {
  auto work = [=]() -> astd::task<> {
    auto ends = astd::channel<std::uint64_t>(1024);
    std::vector<astd::join_handle<std::uint64_t>> consumers;
    for (std::uint64_t i = 0; i < tasks; ++i) {
      consumers.push_back(astd::spawn(sum_of(ends.second)));
      astd::spawn(produce(ends.first, count)).detach();
    }
    {
      auto const gone = std::move(ends);
    }
    std::uint64_t sum = 0;
    for (auto& consumer : consumers) {
      auto const part = co_await std::move(consumer);
      sum += part;
    }
    check(sum == tasks * (count * (count - 1) / 2), "mpmc");
  };
  co_await measure("mpmc", tasks * count, work);
}

}  // namespace

astd::task<bool> channels(arguments what) {
  std::string_view const name = what.name();
  if (name == "channel") {
    co_await ping_pong(what.number(0, 500'000));
  } else if (name == "mpsc") {
    co_await mpsc("mpsc", 1024, what.number(0, 4), what.number(1, 500'000));
  } else if (name == "mpmc") {
    co_await mpmc(what.number(0, 4), what.number(1, 500'000));
  } else if (name == "mpsc_unbounded") {
    co_await mpsc("mpsc_unbounded", 0, what.number(0, 4), what.number(1, 500'000));
  } else {
    co_return false;
  }
  co_return true;
}

}  // namespace bench
