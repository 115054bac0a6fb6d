// Promises, watched values and broadcasts under fault: see tests/faults/faults.hpp.
#include <astd/channel.hpp>
#include <astd/future.hpp>
#include <astd/runtime.hpp>
#include <astd/task.hpp>
#include <astd/this_task.hpp>

#include <tests/faults/faults.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <tuple>
#include <utility>

namespace {

using namespace std::chrono_literals;
using astd::task;
using astd::faults::report;
using astd::faults::scenario;
using astd::faults::tracked;

struct promise_kept final : scenario {
  task<> keep(astd::promise<tracked> p) {
    co_await astd::this_task::yield();
    p.set_value();
  }
  task<> operation() override {
    astd::promise<tracked> p;
    auto f = p.get_future();
    auto both = co_await astd::try_join(keep(std::move(p)), f);
    static_cast<void>(both);
  }
};
ASTD_SCENARIO(promise_kept);

// Set by a plain thread: the value is taken, or still there.
struct promise_kept_by_a_thread final : scenario {
  promise_kept_by_a_thread() : f(p.get_future()) {}
  task<> operation() override {
    const auto value = co_await f;
    taken = true;
  }
  void meanwhile() override {
    if (!std::exchange(set, true)) p.set_value();
  }
  void check(const report&) override {
    meanwhile();
    EXPECT_EQ(f.valid(), !taken);
    if (!taken) {
      EXPECT_TRUE(f.is_ready());
    }
  }
  astd::promise<tracked> p;
  astd::future<tracked> f;
  bool set = false, taken = false;
};
ASTD_SCENARIO(promise_kept_by_a_thread);

task<tracked> slow(tracked value) {
  co_await astd::this_task::sleep_for(10us);
  co_return value;
}

struct shared_by_two final : scenario {
  task<> operation() override {
    auto one = astd::shared(slow(tracked()));
    auto other = one;
    auto both = co_await astd::join(one, other);
    static_cast<void>(both);
  }
  // The run had no memory for its beginning.
  bool may_end_with(const report& r) override { return r.code == std::future_errc::broken_promise; }
};
ASTD_SCENARIO(shared_by_two);

// The last value is seen, now or later.
struct watched_value final : scenario {
  watched_value() : ends(astd::watch_channel<int>(0)) {}
  task<> operation() override {
    while (seen < 3) {
      const bool more = co_await ends.second.changed();
      if (!more) break;
      seen = ends.second.get();
    }
  }
  void meanwhile() override {
    if (sent < 3) ends.first.send(++sent);
  }
  void check(const report&) override {
    EXPECT_EQ(ends.second.has_changed(), seen != sent);
    EXPECT_EQ(ends.second.get(), sent);
  }
  std::pair<astd::watch_sender<int>, astd::watch_receiver<int>> ends;
  int sent = 0, seen = 0;
};
ASTD_SCENARIO(watched_value);

struct broadcast_to_two final : scenario {
  broadcast_to_two() : ends(astd::broadcast_channel<tracked>(8, "news")), other(ends.first.subscribe()) {}
  task<> receive(astd::broadcast_receiver<tracked>& rx, int& got) {
    while (got < 3) {
      const auto m = co_await rx.recv();
      got += m.has_value();
    }
  }
  task<> operation() override { co_await astd::join(receive(ends.second, first), receive(other, second)); }
  void meanwhile() override {
    if (sent < 3) sent += ends.first.send(tracked()) == 2;
  }
  void check(const report&) override {
    EXPECT_EQ(first + static_cast<int>(ends.second.size()), sent);
    EXPECT_EQ(second + static_cast<int>(other.size()), sent);
  }
  std::pair<astd::broadcast_sender<tracked>, astd::broadcast_receiver<tracked>> ends;
  astd::broadcast_receiver<tracked> other;
  int sent = 0, first = 0, second = 0;
};
ASTD_SCENARIO(broadcast_to_two);

}  // namespace
